import type { LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod/mini'
import { brokerOf } from '../../model/account-id.ts'
import { BrokerUnavailableError } from '../../model/errors.ts'
import type { Finished, LoginService, Refusal, Started } from '../../ports/login-service.ts'
import { functionCaller } from './function-caller.ts'

const REFUSED = z.object({ refused: z.literal(true), code: z.string(), reason: z.string(), fix: z.string() })
const STARTED = z.object({ authorizationUrl: z.string(), redirectUri: z.string(), loginId: z.string() })
const FINISHED = z.object({ account: z.string(), loginId: z.string() })
const ASKED = z.object({ asked: z.literal(true) })
const LOOKED = z.object({ looked: z.literal(true) })

export interface LambdaLoginServiceOptions {
  /** The name of a broker's function. */
  readonly functionOf: (brokerId: string) => string
  /** @default - a client made at the first step */
  readonly client?: () => Promise<LambdaClient>
  /** Milliseconds to wait for a step. @default 27_000 */
  readonly patienceMs?: number
}

/**
 * The login service in the brokers' functions. Each step is one invocation, read by
 * functions/runtime/login/login-event.ts, of the only function that may read that broker's secrets. A
 * function that fails, is throttled or takes too long is a refusal, and no error repeats what was sent.
 *
 * Every step waits for its reply, also for a posted token, which an asynchronous invocation would leave in
 * Lambda's queue. The SDK may send a step again that was throttled or whose connection broke. That does no
 * harm: a login may be opened twice, a code is used by one conditional write, and a second approval request
 * is refused while the broker's gap lasts.
 */
export function lambdaLoginService({
  functionOf,
  client,
  patienceMs,
}: LambdaLoginServiceOptions): LoginService {
  const call = functionCaller({
    client,
    patienceMs,
    // Where the function was too slow, the login page shows how the step ended.
    whenUnknown: 'look at the login page in a moment, and try again if it still asks',
  })

  const step = <T>(brokerId: string, login: object, expected: z.ZodMiniType): Promise<T | Refusal> =>
    call<T | Refusal>(functionOf(brokerId), { login }, [expected, REFUSED])

  return {
    start: (order) => step<Started>(brokerOf(order.account), { step: 'start', ...order }, STARTED),
    finish: (order) => {
      const broker = order.by === 'code' ? brokerOf(order.account) : order.broker
      return step<Finished>(broker, { step: 'finish', ...order }, FINISHED)
    },
    requestApproval: (order) =>
      step<{ asked: true }>(brokerOf(order.account), { step: 'request_approval', ...order }, ASKED),
    async acceptApproval(order) {
      const login = { step: 'accept_approval', ...order }
      const looked = await step<{ looked: true }>(brokerOf(order.account), login, LOOKED)
      if ('looked' in looked) return
      throw new BrokerUnavailableError(`nobody could look at an approval: ${looked.reason}`, {
        fix: looked.fix,
      })
    },
  }
}
