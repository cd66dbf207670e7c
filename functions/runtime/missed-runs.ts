import { Temporal } from 'temporal-polyfill'
import type { ScheduledRuns, WatchedSchedules } from '../../lib/aws/dynamo/dynamo-scheduled-runs.ts'
import type { BrokerSettings } from '../../lib/brokers/settings.ts'
import type { Notice } from '../../lib/channels/notice.ts'
import { missedRun } from '../../lib/markets/missed-run.ts'
import { parseSchedule } from '../../lib/markets/schedule.ts'
import { later } from '../../lib/model/time/instants.ts'
import { localInstant } from '../../lib/model/time/local-time.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'

/** How late a schedule may start a run, besides the time the run may take. */
const SLACK_MINUTES = 5

/** A broker of the stack, with the owner's settings. */
export interface WatchedBroker {
  readonly broker: Broker
  readonly settings: Pick<BrokerSettings, 'timeoutMinutes'>
}

export interface MissedRun {
  readonly broker: string
  readonly says: string
}

/**
 * The brokers whose schedules have started no run although one is due, whatever else has run. A broker that was not
 * watched before with these schedules is watched from now on: a new stack, a new broker and new times have missed
 * nothing. Throws StateStoreError.
 */
export async function missedRuns(
  brokers: readonly WatchedBroker[],
  runs: ScheduledRuns,
  now: Temporal.Instant,
): Promise<readonly MissedRun[]> {
  const before = await runs.watched()
  const watched: Record<string, WatchedSchedules> = {}
  const missed: MissedRun[] = []
  for (const { broker, settings } of brokers) {
    const { id, displayName, schedule } = broker
    const { expressions, timeZone } = schedule
    const known = before[id]
    const since =
      known?.timeZone === timeZone && known.schedules.join() === expressions.join()
        ? known.since
        : now.toString()
    watched[id] = { schedules: expressions, timeZone, since }
    const last = await runs.lastStart(id)
    const watchedSince = Temporal.Instant.from(since)
    const due = missedRun(
      expressions.map((expression) => parseSchedule(expression, timeZone)),
      later(last ?? watchedSince, watchedSince).epochMilliseconds,
      now.epochMilliseconds,
      settings.timeoutMinutes + SLACK_MINUTES,
    )
    if (due === undefined) continue
    const dueAt = localInstant(Temporal.Instant.fromEpochMilliseconds(due), timeZone)
    const lastAt = last ? `the last one began ${localInstant(last, timeZone)}` : 'there was none before'
    missed.push({ broker: id, says: `${displayName}: no scheduled run since ${dueAt} (${lastAt})` })
  }
  await runs.watch(watched)
  return missed
}

/** What people are told of them. */
export function noticeOfMissed(missed: readonly MissedRun[], scheduleGroup: string): Notice {
  const [only, ...others] = missed
  return {
    kind: 'operator_action',
    severity: 'page',
    ...(only && others.length === 0 && { broker: only.broker }),
    title: `Scheduled runs do not come: ${missed.map(({ broker }) => broker).join(', ')}`,
    reason: missed.map(({ says }) => says).join('; '),
    action: `run tokenkeeper refresh, and look at the schedules of the group ${scheduleGroup} in EventBridge Scheduler`,
  }
}
