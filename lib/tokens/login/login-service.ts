import { type AccountId, brokerOf } from '../../model/account-id.ts'
import { RateLimitedError, TokenkeeperError } from '../../model/errors.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Finished, FinishOrder, LoginService, Refusal } from '../../ports/login-service.ts'
import type { Ports } from '../../ports/ports.ts'
import { refusalOf } from '../rules/outcome/request-refused.ts'
import { switchedOn } from '../rules/outcome/switched-on.ts'
import { acceptApproval, requestApproval } from './approval.ts'
import { finishLogin } from './finish.ts'
import { startLogin } from './start.ts'

function approvalAdvice(error: TokenkeeperError): string {
  const minutes = error instanceof RateLimitedError ? Math.ceil(error.retryAfterSeconds / 60) : 0
  const when =
    minutes === 0 ? 'in a moment' : minutes < 120 ? `in ${minutes} min` : `in ${Math.ceil(minutes / 60)} h`
  return `ask again ${when}, or log in on the web: tokenkeeper login {account}`
}

export interface LoginServiceOptions {
  /** The brokers whose accounts can log in here, with the owner's settings. */
  readonly brokers: readonly Broker[]
  readonly ports: Ports
  /**
   * Starts a run that proves and publishes a login's pending token; need not wait for its end. What it throws
   * is logged. @default - the next scheduled run does so
   */
  readonly settle?: ((account: AccountId) => Promise<void>) | undefined
}

/**
 * The login service that works in this process. Errors are returned as refusals; only {@link
 * LoginService.acceptApproval} throws, what the stores throw and RequestRefusedError for a broker that is not
 * switched on.
 */
export function loginService({ brokers, ports, settle }: LoginServiceOptions): LoginService {
  const named = (id: string): Broker => switchedOn(brokers, id)
  const guarded = async <T>(account: string, work: () => Promise<T>): Promise<T | Refusal> => {
    try {
      return await work()
    } catch (error) {
      const refusal = refusalOf(error, account)
      ports.telemetry.warn('a login was refused', { account, code: refusal.code, reason: refusal.reason })
      return refusal
    }
  }
  const settled = async (account: AccountId): Promise<void> => {
    if (!settle) return
    try {
      if ((await ports.states.get(account))?.pending) await settle(account)
    } catch (error) {
      const { reason } = refusalOf(error, account)
      ports.telemetry.warn('no run could be begun for the token that was kept', { account, reason })
    }
  }
  const finish = async (order: FinishOrder, broker: Broker): Promise<Finished> => {
    const finished = await finishLogin(order, broker, ports)
    await settled(finished.account)
    return finished
  }
  const brokerFor = (account: AccountId): Broker => named(brokerOf(account))

  return {
    start: (order) => guarded(order.account, () => startLogin(order, brokerFor(order.account), ports)),
    finish: (order) =>
      order.by === 'code'
        ? guarded(order.account, () => finish(order, brokerFor(order.account)))
        : guarded(order.broker, () => finish(order, named(order.broker))),
    requestApproval: ({ account }) =>
      guarded(account, async () => {
        try {
          await requestApproval(account, brokerFor(account), ports)
        } catch (error) {
          // No run repeats the request today, so the person is told to ask again or to log in.
          throw error instanceof TokenkeeperError ? error.advising(approvalAdvice(error)) : error
        }
        return { asked: true } as const
      }),
    async acceptApproval(order) {
      await acceptApproval(order, brokerFor(order.account), ports)
      await settled(order.account)
    },
  }
}
