import * as z from 'zod/mini'
import { brokerOf } from '../../model/account-id.ts'
import type { AccountResult } from '../../model/outcome.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { ServiceRefusal, TokenService, Validation } from '../../ports/token-service.ts'
import { type PublishedOptions, readPublished } from '../../tokens/service/read-published.ts'
import { functionCaller } from './function-caller.ts'
import {
  ACCOUNT_RESULT,
  type LambdaRefreshOptions,
  lambdaRefresh,
  REFUSAL,
  WHEN_UNKNOWN,
} from './lambda-refresh.ts'

const VALIDATION = z.looseObject({ account: z.string(), valid: z.boolean(), checkedAt: z.string() })

export interface LambdaTokenServiceOptions extends PublishedOptions, LambdaRefreshOptions {
  readonly brokers: readonly Broker[]
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
  const call = functionCaller({ client, patienceMs, whenUnknown: WHEN_UNKNOWN })
  return {
    ...lambdaRefresh(options),
    adopt({ account, accessToken, expiresAt, replaceNewer }) {
      const adopt = { account, accessToken: accessToken.reveal(), expiresAt, replaceNewer }
      return call<AccountResult | ServiceRefusal>(functionOf(brokerOf(account)), { adopt }, [
        ACCOUNT_RESULT,
        REFUSAL,
      ])
    },
    validate: ({ account }) =>
      call<Validation | ServiceRefusal>(functionOf(brokerOf(account)), { validate: { account } }, [
        VALIDATION,
        REFUSAL,
      ]),
    async readToken(account) {
      const broker = brokers.find(({ id }) => id === brokerOf(account))
      return broker && readPublished(broker, account, options)
    },
  }
}
