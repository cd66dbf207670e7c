import { dayWithoutRunNearOpen } from '../../markets/near-open.ts'
import { parseSchedule } from '../../markets/schedule.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Clock } from '../../ports/clock.ts'
import { PROVE_MINUTES_BEFORE_OPEN } from '../../tokens/rules/token/due.ts'
import type { EnabledBroker } from '../backend/setting.ts'
import { type Finding, pass, warn } from './finding.ts'

/** Whether a run comes near each open, to prove tokens while there is time: schedules are the owner's to choose. */
export function scheduleFindings({ broker, settings }: EnabledBroker, clock: Clock): readonly Finding[] {
  const { tradingSession: session, id, proveMinutesBeforeOpen: minutes = PROVE_MINUTES_BEFORE_OPEN } = broker
  if (!session) return []
  const { schedules, timeZone } = settings
  const parsed = schedules.map((expression) => parseSchedule(expression, timeZone))
  const missed = dayWithoutRunNearOpen(parsed, session, minutes, clock.now())
  const what = `schedule of ${id}`
  if (!missed) return [pass(what, `a run in the ${minutes} minutes before each open`)]
  return [
    warn(
      what,
      `no run for sure in the ${minutes} minutes before ${localInstant(missed.opens, session.timeZone)}: a token that dies in the morning is noticed after the open`,
      `add a time in them to brokers.${id}.schedules in cdk.json`,
    ),
  ]
}
