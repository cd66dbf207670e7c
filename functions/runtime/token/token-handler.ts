import type { AccountResult } from '../../../lib/model/outcome.ts'
import { forgetSecrets } from '../../../lib/model/secrets/secret.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { ServiceRefusal, Validation } from '../../../lib/ports/token-service.ts'
import { serviceRefusalOf, tokenService } from '../../../lib/tokens/service/token-service.ts'
import type { FunctionComposition } from '../composition.ts'
import { countNoneLeft } from '../refresh/none-left.ts'
import type { LambdaTelemetry } from '../telemetry.ts'
import { readTokenEvent } from './token-event.ts'

/** The reply to an event about one token; never contains the token. */
export type TokenReply = AccountResult | Validation | ServiceRefusal

/**
 * Works on one token for the site, which may read none of the broker's credentials: adopts one that is handed
 * in, or proves the published one. Never throws: errors are returned as refusals, so that nothing of the
 * event gets into the log of the Lambda runtime.
 */
export async function workOnToken(
  event: unknown,
  broker: Broker,
  compose: () => FunctionComposition,
  telemetry: LambdaTelemetry,
): Promise<TokenReply> {
  let account: string = broker.id
  try {
    const { broker: configured, ports } = compose()
    const { work, order } = readTokenEvent(broker, event)
    account = order.account
    telemetry.info('work on a token', { broker: broker.id, account, step: work })
    const tokens = tokenService({ brokers: [configured], ports })
    if (work === 'validate') return await tokens.validate(order)
    const result = await tokens.adopt(order)
    // The token may have mended what the broker's alarm is on.
    if ('success' in result && result.success) await countNoneLeft(broker, ports)
    return result
  } catch (error) {
    const refusal = serviceRefusalOf(error, account)
    telemetry.error('work on a token failed', { account, code: refusal.code, reason: refusal.reason })
    return refusal
  } finally {
    telemetry.publish()
    forgetSecrets()
  }
}
