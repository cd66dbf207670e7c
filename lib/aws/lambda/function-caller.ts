import type { LambdaClient } from '@aws-sdk/client-lambda'
import type * as z from 'zod/mini'
import { awsFault } from '../aws-fault.ts'
import { lambdaClient } from '../clients.ts'

/**
 * Milliseconds for all attempts together: the site's function and API Gateway give up after 29 s, cold start
 * included.
 */
const PATIENCE_MS = 27_000

/** The refusal for a function that could not be called, or whose reply was not understood. */
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
  /** What to do about a function that may still be at work, because it was too slow or its reply was lost. */
  readonly whenUnknown: string
}

/** Invokes a function, waits for its reply, and returns it if it has one of these shapes. Never throws. */
export type FunctionCaller = <T>(
  functionName: string,
  event: object,
  shapes: readonly z.ZodMiniType[],
) => Promise<T | CallRefusal>

/**
 * Makes a caller of functions that waits for their replies. A function that fails, is throttled or takes too
 * long is a refusal, and no error repeats what was sent. The SDK may send an event again that was throttled
 * or whose connection broke, so events must be safe to repeat; one that took too long is not sent again.
 */
export function functionCaller({
  whenUnknown,
  patienceMs = PATIENCE_MS,
  client = () => lambdaClient({ requestTimeoutMs: patienceMs }),
}: FunctionCallerOptions): FunctionCaller {
  let loaded: Promise<LambdaClient> | undefined

  /** The reply of one invocation; `undefined` where the function failed. Throws what the SDK throws. */
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
      // Only the shape is checked: both ends are of one deployment, and their types agree on the rest.
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

/** The function's error may contain anything, so it is left in the function's log. */
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
