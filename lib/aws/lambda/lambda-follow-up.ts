import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { AccountId } from '../../model/account-id.ts'
import { FollowUpError } from '../../model/errors.ts'
import type { FollowUp, FollowUpRequest } from '../../ports/follow-up.ts'
import { awsFault } from '../aws-fault.ts'
import { lambdaClient } from '../clients.ts'

/** An asynchronous event may have 256 kB; the rest is for what Lambda adds to it. */
const LARGEST_PAYLOAD_BYTES = 200_000

export interface LambdaFollowUpOptions {
  /** The function that continues the run: the one that runs now. */
  readonly functionName: string
  /** @default - a client made when a run has to be continued */
  readonly client?: () => Promise<LambdaClient>
}

/**
 * Continues a run in an asynchronous invocation of the same function, or in several for thousands of
 * accounts.
 */
export function lambdaFollowUp({ functionName, client = lambdaClient }: LambdaFollowUpOptions): FollowUp {
  return {
    async handOver(request) {
      const { InvokeCommand } = await import('@aws-sdk/client-lambda')
      const lambda = await client()
      for (const payload of payloads(request)) {
        try {
          await lambda.send(
            new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: payload }),
          )
        } catch (error) {
          const { message, fix, cause } = awsFault(error, {
            service: 'Lambda',
            operation: 'Invoke',
            action: 'lambda:InvokeFunction',
            resource: `function ${functionName}`,
          })
          throw new FollowUpError(message, { fix, cause })
        }
      }
    },
  }
}

/** The event of each follow-up, as functions/runtime/refresh/event.ts reads it. */
function payloads({ accounts, forcedAt, continuation, unsuccessful }: FollowUpRequest): readonly Buffer[] {
  const event = (part: readonly AccountId[], isLast = false): Buffer =>
    Buffer.from(
      JSON.stringify({
        accounts: part,
        reason: 'continued',
        forcedAt,
        continuation,
        // Of several that go on at the same time one alone may say that no account is left.
        ...(isLast && { unsuccessful }),
      }),
    )
  const frame = event([], true).length
  const parts: AccountId[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const account of accounts) {
    const added = Buffer.byteLength(JSON.stringify(account)) + ','.length
    if (bytes + added > LARGEST_PAYLOAD_BYTES) {
      parts.push([])
      bytes = frame
    }
    parts.at(-1)?.push(account)
    bytes += added
  }
  return parts.map((part, index) => event(part, index === parts.length - 1))
}
