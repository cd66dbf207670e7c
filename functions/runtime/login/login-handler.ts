import type { AccountId } from '../../../lib/model/account-id.ts'
import { forgetSecrets } from '../../../lib/model/secrets/secret.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { Finished, LoginService, Refusal, Started } from '../../../lib/ports/login-service.ts'
import { loginService } from '../../../lib/tokens/login/login-service.ts'
import { refusalOf } from '../../../lib/tokens/rules/outcome/request-refused.ts'
import type { FunctionComposition } from '../composition.ts'
import { countNoneLeft } from '../refresh/none-left.ts'
import type { LambdaTelemetry } from '../telemetry.ts'
import { type LoginStep, readLoginEvent } from './login-event.ts'

/** Steps that may publish a token. */
const PUBLISHING: readonly LoginStep['step'][] = ['finish', 'accept_approval']

/** The reply to a login event. `looked` says that an approval was taken, and not how that ended. */
export type LoginReply = Started | Finished | { readonly asked: true } | { readonly looked: true } | Refusal

/**
 * Takes one step of a login for the site, which may read none of the broker's secrets. Never throws: errors
 * are returned as refusals, so that nothing of the event gets into the log of the Lambda runtime.
 *
 * The event contains a one-time code, a state or a posted token. The site waits for the reply: an
 * asynchronous invocation would leave the event in Lambda's own queue and, after a failure, in the
 * dead-letter queue.
 */
export async function takeLoginStep(
  event: unknown,
  broker: Broker,
  compose: () => FunctionComposition,
  telemetry: LambdaTelemetry,
): Promise<LoginReply> {
  let account: string = broker.id
  try {
    const { broker: configured, ports, followUp } = compose()
    const login = readLoginEvent(broker, event)
    if ('account' in login.order) account = login.order.account
    telemetry.info('login step', { broker: broker.id, account, step: login.step })
    // The site waits for this reply, so another invocation proves the pending token.
    const settle = (kept: AccountId): Promise<void> =>
      followUp.handOver({ accounts: [kept], continuation: 1 })
    const reply = await taken(login, loginService({ brokers: [configured], ports, settle }))
    // The login may have mended what the broker's alarm is on.
    if (PUBLISHING.includes(login.step) && !('refused' in reply)) await countNoneLeft(broker, ports)
    return reply
  } catch (error) {
    const refusal = refusalOf(error, account)
    telemetry.error('login step failed', { account, code: refusal.code, reason: refusal.reason })
    return refusal
  } finally {
    telemetry.publish()
    forgetSecrets()
  }
}

async function taken(login: LoginStep, logins: LoginService): Promise<LoginReply> {
  switch (login.step) {
    case 'start':
      return logins.start(login.order)
    case 'finish':
      return logins.finish(login.order)
    case 'request_approval':
      return logins.requestApproval(login.order)
    case 'accept_approval':
      await logins.acceptApproval(login.order)
      return { looked: true }
  }
}
