import type { LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod/mini'
import type { Finished, LoginDesk, Refusal, Started } from '../ports/login-desk.ts'
import { brokerOf } from '../tokens/account-id.ts'
import { BrokerUnavailableError } from '../tokens/errors.ts'
import { awsFault } from './aws-fault.ts'
import { lambdaClient } from './clients.ts'

/** The site's function and API Gateway give up after 29 s, cold start included; all attempts together stay below. */
const PATIENCE_MS = 27_000

const REFUSED = z.object({ refused: z.literal(true), code: z.string(), reason: z.string(), fix: z.string() })
const STARTED = z.object({ authorizationUrl: z.string(), redirectUri: z.string(), loginId: z.string() })
const FINISHED = z.object({ account: z.string(), loginId: z.string() })
const ASKED = z.object({ asked: z.literal(true) })
const LOOKED = z.object({ looked: z.literal(true) })

export interface LambdaLoginDeskOptions {
  /** The function of a broker. */
  readonly functionOf: (brokerId: string) => string
  /** @default - a client made at the first step */
  readonly client?: () => Promise<LambdaClient>
  /** Milliseconds to wait for a step. @default 27_000 */
  readonly patienceMs?: number
}

/**
 * The login desk in the brokers' functions: each step is one invocation, as functions/runtime/login-event.ts reads
 * it, of the function that alone may read that broker's secrets. A function that fails, is throttled or takes too long is a
 * refusal; no error repeats what was sent.
 *
 * Every step waits for its reply, a posted token too: an asynchronous invocation would keep it in Lambda's queue.
 * The SDK may send a step again that was throttled or whose connection broke: opening a login twice is harmless,
 * a code is taken by one conditional write however often it comes, and a second approval request within the
 * broker's gap is refused.
 */
export function lambdaLoginDesk({
  functionOf,
  patienceMs = PATIENCE_MS,
  client = () => lambdaClient({ requestTimeoutMs: patienceMs }),
}: LambdaLoginDeskOptions): LoginDesk {
  let loaded: Promise<LambdaClient> | undefined

  /** The reply of one invocation; `undefined` when the function failed. Throws what the SDK throws. */
  const invoked = async (functionName: string, login: object): Promise<unknown> => {
    const { InvokeCommand } = await import('@aws-sdk/client-lambda')
    loaded ??= client()
    const invocation = new InvokeCommand({
      FunctionName: functionName,
      InvocationType: 'RequestResponse',
      Payload: Buffer.from(JSON.stringify({ login })),
    })
    const sent = (await loaded).send(invocation, { abortSignal: AbortSignal.timeout(patienceMs) })
    const { FunctionError, Payload = [] } = await sent
    return FunctionError === undefined ? JSON.parse(Buffer.from(Payload).toString()) : undefined
  }

  const step = async <T>(brokerId: string, login: object, expected: z.ZodMiniType): Promise<T | Refusal> => {
    const functionName = functionOf(brokerId)
    try {
      const reply = await invoked(functionName, login)
      if (reply === undefined) return failed(functionName)
      // What the broker's function means by the texts is a matter of types: both are of one deployment.
      for (const shape of [expected, REFUSED]) {
        const { success, data } = shape.safeParse(reply)
        if (success) return data as T | Refusal
      }
      return notUnderstood(functionName)
    } catch (error) {
      return error instanceof SyntaxError ? notUnderstood(functionName) : unreached(error, functionName)
    }
  }

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

/** Its error may hold anything, and stays in its log. */
function failed(functionName: string): Refusal {
  return refusal(
    'broker_unavailable',
    `the function ${functionName} failed`,
    'try again in a moment; if it fails again, whoever runs this must read its log',
  )
}

function notUnderstood(functionName: string): Refusal {
  return refusal(
    'response_unexpected',
    `the reply of the function ${functionName} is not what was expected`,
    'deploy the stack: its site and its functions must be of one version',
  )
}

/** The step may still be under way in a function that was too slow: the login page shows how it ended. */
function unreached(error: unknown, functionName: string): Refusal {
  const { message, fix, passing } = awsFault(error, {
    service: 'Lambda',
    operation: 'Invoke',
    action: 'lambda:InvokeFunction',
    resource: `function ${functionName}`,
    fixes: { ResourceNotFoundException: `deploy the stack: there is no function ${functionName}` },
  })
  return passing
    ? refusal(
        'broker_unavailable',
        message,
        'look at the login page in a moment, and try again if it still asks',
      )
    : refusal('configuration_invalid', message, fix)
}

function refusal(code: Refusal['code'], reason: string, fix: string): Refusal {
  return { refused: true, code, reason, fix }
}
