import type { LambdaClient } from '@aws-sdk/client-lambda'
import type * as z from 'zod/mini'
import { awsFault } from './aws-fault.ts'
import { lambdaClient } from './clients.ts'

/** The site's function and API Gateway give up after 29 s, cold start included; all attempts together stay below. */
const PATIENCE_MS = 27_000

/** A function that could not be asked, or answered with something else. */
interface CallRefusal {
  readonly refused: true
  readonly code: 'broker_unavailable' | 'configuration_invalid' | 'response_unexpected'
  readonly reason: string
  readonly fix: string
}

export interface FunctionCallerOptions {
  /** @default - a client made at the first call */
  readonly client?: (() => Promise<LambdaClient>) | undefined
  /** Milliseconds to wait for a reply. @default 27_000 */
  readonly patienceMs?: number | undefined
  /** What to do about a function that may still be at work: it was too slow, or its reply was lost. */
  readonly whenUnknown: string
}

/** Invokes a function, waits, and gives its reply if it is of one of these shapes. Never throws. */
export type FunctionCaller = <T>(
  functionName: string,
  event: object,
  shapes: readonly z.ZodMiniType[],
) => Promise<T | CallRefusal>

/**
 * Asks functions and waits for what they say. A function that fails, is throttled or takes too long is a refusal; no
 * error repeats what was sent. The SDK may send an event again that was throttled or whose connection broke, so what is
 * sent must bear that; one that took too long is not sent again.
 */
export function functionCaller({
  whenUnknown,
  patienceMs = PATIENCE_MS,
  client = () => lambdaClient({ requestTimeoutMs: patienceMs }),
}: FunctionCallerOptions): FunctionCaller {
  let loaded: Promise<LambdaClient> | undefined

  /** The reply of one invocation; `undefined` when the function failed. Throws what the SDK throws. */
  const invoked = async (functionName: string, event: object): Promise<unknown> => {
    const { InvokeCommand } = await import('@aws-sdk/client-lambda')
    loaded ??= client()
    const invocation = new InvokeCommand({
      FunctionName: functionName,
      InvocationType: 'RequestResponse',
      Payload: Buffer.from(JSON.stringify(event)),
    })
    const sent = (await loaded).send(invocation, { abortSignal: AbortSignal.timeout(patienceMs) })
    const { FunctionError, Payload = [] } = await sent
    return FunctionError === undefined ? JSON.parse(Buffer.from(Payload).toString()) : undefined
  }

  return async <T>(functionName: string, event: object, shapes: readonly z.ZodMiniType[]) => {
    try {
      const reply = await invoked(functionName, event)
      if (reply === undefined) return failed(functionName)
      // What a function means by the texts is a matter of types: both ends are of one deployment.
      for (const shape of shapes) {
        const { success, data } = shape.safeParse(reply)
        if (success) return data as T
      }
      return notUnderstood(functionName)
    } catch (error) {
      return error instanceof SyntaxError
        ? notUnderstood(functionName)
        : unreached(error, functionName, whenUnknown)
    }
  }
}

/** Its error may hold anything, and stays in its log. */
function failed(functionName: string): CallRefusal {
  return refusal(
    'broker_unavailable',
    `the function ${functionName} failed`,
    'try again in a moment; if it fails again, whoever runs this must read its log',
  )
}

function notUnderstood(functionName: string): CallRefusal {
  return refusal(
    'response_unexpected',
    `the reply of the function ${functionName} is not what was expected`,
    'deploy the stack: its site and its functions must be of one version',
  )
}

function unreached(error: unknown, functionName: string, whenUnknown: string): CallRefusal {
  const { message, fix, passing } = awsFault(error, {
    service: 'Lambda',
    operation: 'Invoke',
    action: 'lambda:InvokeFunction',
    resource: `function ${functionName}`,
    fixes: { ResourceNotFoundException: `deploy the stack: there is no function ${functionName}` },
  })
  return passing
    ? refusal('broker_unavailable', message, whenUnknown)
    : refusal('configuration_invalid', message, fix)
}

function refusal(code: CallRefusal['code'], reason: string, fix: string): CallRefusal {
  return { refused: true, code, reason, fix }
}
