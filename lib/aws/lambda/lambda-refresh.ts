import type { LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod/mini'
import type { RunReport } from '../../model/outcome.ts'
import type { ServiceRefusal, TokenService } from '../../ports/token-service.ts'
import { functionCaller } from './function-caller.ts'

const REASON = 'a program asked for it'
/** What is said where the reply was lost. */
export const WHEN_UNKNOWN = 'ask for the status in a moment: it may be at work still'

export const REFUSAL = z.object({
  refused: z.literal(true),
  code: z.string(),
  reason: z.string(),
  fix: z.string(),
  retryAfterSeconds: z.optional(z.number()),
})
export const ACCOUNT_RESULT = z.looseObject({
  success: z.boolean(),
  account: z.string(),
  outcome: z.string(),
})
const REPORT = z.looseObject({ success: z.boolean(), total: z.number(), results: z.array(ACCOUNT_RESULT) })

export interface LambdaRefreshOptions {
  /** The name of a broker's function. */
  readonly functionOf: (brokerId: string) => string
  /** @default - a client made at the first call */
  readonly client?: () => Promise<LambdaClient>
  /** Milliseconds to wait for a reply. @default 27_000 */
  readonly patienceMs?: number
}

/** Has a broker's function make a run, which functions/runtime/refresh/event.ts reads. It needs no way to a token. */
export function lambdaRefresh(options: LambdaRefreshOptions): Pick<TokenService, 'refresh'> {
  const { functionOf, client, patienceMs } = options
  const call = functionCaller({ client, patienceMs, whenUnknown: WHEN_UNKNOWN })
  return {
    refresh({ broker, accounts, reported, forcedAt }) {
      const event = { accounts, refused: reported, forcedAt, awaited: true, reason: REASON }
      return call<RunReport | ServiceRefusal>(functionOf(broker), event, [REPORT, REFUSAL])
    },
  }
}
