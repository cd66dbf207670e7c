import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { BROKER_IDS, BROKERS } from '../../lib/brokers/index.ts'
import { dayWithoutRunNearOpen } from '../../lib/markets/near-open.ts'
import { parseSchedule } from '../../lib/markets/schedule.ts'
import { presentTradingDay } from '../../lib/markets/trading-day.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { PROVE_MINUTES_BEFORE_OPEN } from '../../lib/tokens/rules/token/due.ts'
import { weekdaySession } from '../support/weekday-session.ts'

const NSE = weekdaySession({ timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' })
const SUNDAY = Temporal.Instant.from('2026-11-22T12:00:00+05:30')
/** What a person needs from a message to a login that has succeeded (lib/tokens/rules/decide/choose-grant.ts). */
const PERSON_NEEDS_MINUTES = 30

function missedBy(expressions: readonly string[], minutes = 45, timeZone = NSE.timeZone): string | undefined {
  const schedules = expressions.map((expression) => parseSchedule(expression, timeZone))
  return dayWithoutRunNearOpen(schedules, NSE, minutes, SUNDAY)?.date.toString()
}

describe('the schedule of every broker with a market', () => {
  const withMarket = BROKER_IDS.map((id): Broker => BROKERS[id]).filter(
    ({ tradingSession }) => tradingSession,
  )

  test.each(withMarket.map((broker) => [broker.id, broker] as const))(
    'of %s proves near each open, while a person still has time to log in',
    (_, { schedule, tradingSession = NSE }) => {
      const schedules = schedule.expressions.map((one) => parseSchedule(one, schedule.timeZone))
      let from = SUNDAY
      for (let day = 0; day < 10; day++) {
        const { opens, closes } = presentTradingDay(tradingSession, from)
        const near = opens.subtract({ minutes: PROVE_MINUTES_BEFORE_OPEN }).epochMilliseconds
        const first = Math.min(...schedules.flatMap((one) => one.next(near - 1) ?? []))
        expect(first).toBeLessThanOrEqual(opens.subtract({ minutes: PERSON_NEEDS_MINUTES }).epochMilliseconds)
        from = closes
      }
    },
  )
})

describe('a schedule of the owner’s own', () => {
  test.each<[string, readonly string[], string | undefined]>([
    ['has one at the beginning of that time', ['cron(30 8 ? * MON-FRI *)'], undefined],
    ['has one in the last minute', ['cron(14 9 ? * MON-FRI *)'], undefined],
    ['comes a minute too early', ['cron(29 8 ? * MON-FRI *)'], '2026-11-23'],
    ['comes at the open itself', ['cron(15 9 ? * MON-FRI *)'], '2026-11-23'],
    ['leaves a Friday out', ['cron(45 8 ? * MON-THU *)'], '2026-11-27'],
    ['has it in two expressions', ['cron(45 8 ? * MON-THU *)', 'cron(0 9 ? * FRI *)'], undefined],
    ['comes often enough, whenever it began', ['rate(45 minutes)'], undefined],
    ['may come before and after', ['rate(1 hour)'], '2026-11-23'],
  ])('%s', (_, expressions, missed) => {
    expect(missedBy(expressions)).toBe(missed)
  })

  test('is read on its own clocks, and held to the minutes the owner chose', () => {
    expect(missedBy(['cron(0 3 ? * MON-FRI *)'], 45, 'UTC')).toBeUndefined()
    expect(missedBy(['cron(30 8 ? * MON-FRI *)'], 20)).toBe('2026-11-23')
  })
})
