import type { Temporal } from 'temporal-polyfill'
import { StateStoreError } from '../../../lib/model/errors.ts'
import type { FunctionComposition } from '../composition.ts'
import type { Order } from './event.ts'

/** What schedules send (infra/constructs/broker/schedules.ts); whoever invokes the function otherwise gives another reason. */
const REASON = 'schedule'

/** Whether an order is one that a schedule sends: a run over every account that nobody asked for. */
export function isScheduled({ reason, accounts, forcedAt }: Order): boolean {
  return reason === REASON && accounts === undefined && forcedAt === undefined
}

/**
 * Writes down when a scheduled run began, once it has done its part: the daily check takes it for proof that the schedule
 * and the function are alive. A run by hand or over REST is none. A store that does not take it fails no run.
 */
export async function writeDownStart(
  { broker, ports, scheduledRuns }: FunctionComposition,
  startedAt: Temporal.Instant,
): Promise<void> {
  try {
    await scheduledRuns?.started(broker.id, startedAt)
  } catch (error) {
    if (!(error instanceof StateStoreError)) throw error
    ports.telemetry.error('the daily check will not know of this scheduled run', {
      broker: broker.id,
      reason: error.message,
    })
  }
}
