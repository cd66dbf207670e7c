import type { AccountResult } from '../../../lib/model/outcome.ts'
import { forgetSecrets } from '../../../lib/model/secret.ts'
import type { Broker } from '../../../lib/ports/broker.ts'
import type { DeskRefusal, Validation } from '../../../lib/ports/token-desk.ts'
import { deskRefusalOf, tokenDesk } from '../../../lib/tokens/service/token-desk.ts'
import type { Composition } from '../composition.ts'
import type { LambdaTelemetry } from '../telemetry.ts'
import { readDeskEvent } from './desk-event.ts'

/** What an event about one token is answered with; never the token. */
export type DeskReply = AccountResult | Validation | DeskRefusal

/**
 * Proves a token for the site, which may read none of the broker's credentials: one that is handed in, and then
 * publishes it; or the one that is published. It never throws, so that nothing of the event gets into the log of the
 * Lambda runtime: what goes wrong is a refusal.
 */
export async function workOnToken(
  event: unknown,
  broker: Broker,
  compose: () => Composition,
  telemetry: LambdaTelemetry,
): Promise<DeskReply> {
  let account: string = broker.id
  try {
    const { broker: configured, ports } = compose()
    const { work, order } = readDeskEvent(broker, event)
    account = order.account
    telemetry.info('work on a token', { broker: broker.id, account, step: work })
    const desk = tokenDesk({ brokers: [configured], ports })
    return await (work === 'adopt' ? desk.adopt(order) : desk.validate(order))
  } catch (error) {
    const refusal = deskRefusalOf(error, account)
    telemetry.error('work on a token failed', { account, code: refusal.code, reason: refusal.reason })
    return refusal
  } finally {
    if (telemetry.metrics.hasStoredMetrics()) telemetry.metrics.publishStoredMetrics()
    forgetSecrets()
  }
}
