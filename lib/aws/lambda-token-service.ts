import type { LambdaClient } from '@aws-sdk/client-lambda'
import * as z from 'zod/mini'
import { brokerOf } from '../model/account-id.ts'
import type { AccountResult, RunReport } from '../model/outcome.ts'
import type { Broker } from '../ports/broker/broker.ts'
import type { ServiceRefusal, TokenService, Validation } from '../ports/token-service.ts'
import { type PublishedOptions, readPublished } from '../tokens/service/read-published.ts'
import { functionCaller } from './function-caller.ts'

const REASON = 'a program asked for it'

const REFUSED = z.object({
  refused: z.literal(true),
  code: z.string(),
  reason: z.string(),
  fix: z.string(),
  retryAfterSeconds: z.optional(z.number()),
})
const RESULT = z.looseObject({ success: z.boolean(), account: z.string(), outcome: z.string() })
const REPORT = z.looseObject({ success: z.boolean(), total: z.number(), results: z.array(RESULT) })
const VALIDATION = z.looseObject({ account: z.string(), valid: z.boolean(), checkedAt: z.string() })

export interface LambdaTokenServiceOptions extends PublishedOptions {
  readonly brokers: readonly Broker[]
  /** The name of a broker's function. */
  readonly functionOf: (brokerId: string) => string
  /** @default - a client made at the first call */
  readonly client?: () => Promise<LambdaClient>
  /** Milliseconds to wait for a reply. @default 27_000 */
  readonly patienceMs?: number
}

/**
 * The token service in the brokers' functions. Work that needs a broker's credentials is one invocation of
 * its function, read by functions/runtime/refresh/event.ts and token-event.ts. Published tokens are read
 * here, which are the only secrets this role may read. `readToken` is `undefined` for an unknown broker.
 *
 * The SDK may send an event again that was throttled or whose connection broke. That does no harm: a second
 * run finds what the first one did, a forced one has the date of the wish and so renews once, and a token
 * handed in twice is proven twice.
 */
export function lambdaTokenService(options: LambdaTokenServiceOptions): TokenService {
  const { brokers, functionOf, client, patienceMs } = options
  const call = functionCaller({
    client,
    patienceMs,
    whenUnknown: 'ask for the status in a moment: it may be at work still',
  })
  return {
    refresh({ broker, accounts, reported, forcedAt }) {
      const event = { accounts, refused: reported, forcedAt, awaited: true, reason: REASON }
      return call<RunReport | ServiceRefusal>(functionOf(broker), event, [REPORT, REFUSED])
    },
    adopt({ account, accessToken, expiresAt, replaceNewer }) {
      const adopt = { account, accessToken: accessToken.reveal(), expiresAt, replaceNewer }
      return call<AccountResult | ServiceRefusal>(functionOf(brokerOf(account)), { adopt }, [RESULT, REFUSED])
    },
    validate: ({ account }) =>
      call<Validation | ServiceRefusal>(functionOf(brokerOf(account)), { validate: { account } }, [
        VALIDATION,
        REFUSED,
      ]),
    async readToken(account) {
      const broker = brokers.find(({ id }) => id === brokerOf(account))
      return broker && readPublished(broker, account, options)
    },
  }
}
