import { describe, expect, test } from 'vitest'
import { configured } from '../../lib/brokers/configured.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { parseSchedule, runExpressions } from '../../lib/markets/schedule.ts'

const FRIDAY = Date.parse('2026-11-20T05:30:00+05:30')

function runs(expression: string, count: number, timeZone = 'Asia/Kolkata', from = FRIDAY): string[] {
  const schedule = parseSchedule(expression, timeZone)
  const found: string[] = []
  for (let at = schedule.next(from); at !== undefined && found.length < count; at = schedule.next(at)) {
    found.push(new Date(at).toISOString().replace(':00.000Z', 'Z'))
  }
  return found
}

describe('a schedule', () => {
  test.each([
    ['cron(0 3 * * ? *)', ['2026-11-20T21:30Z', '2026-11-21T21:30Z']],
    ['cron(0/30 6-8 ? * MON-FRI *)', ['2026-11-20T00:30Z', '2026-11-20T01:00Z']],
    // Days of the week count from 1 = Sunday: 2-6 is Monday to Friday.
    ['cron(0 9 ? * 2-6 *)', ['2026-11-20T03:30Z', '2026-11-23T03:30Z']],
    ['cron(15 10 ? * 6L *)', ['2026-11-27T04:45Z', '2026-12-25T04:45Z']],
    ['cron(0 8 ? * 2#1 *)', ['2026-12-07T02:30Z', '2027-01-04T02:30Z']],
    ['cron(0 8 L * ? *)', ['2026-11-30T02:30Z', '2026-12-31T02:30Z']],
    ['rate(6 hours)', ['2026-11-20T06:00Z', '2026-11-20T12:00Z']],
    ['rate(1 day)', ['2026-11-21T00:00Z', '2026-11-22T00:00Z']],
  ])('%s runs when EventBridge Scheduler would', (expression, expected) => {
    expect(runs(expression, 2)).toEqual(expected)
  })

  test('follows daylight saving of its zone', () => {
    const from = Date.parse('2026-10-31T12:00:00Z')
    expect(runs('cron(0 8 * * ? *)', 2, 'America/New_York', from)).toEqual([
      '2026-11-01T13:00Z',
      '2026-11-02T13:00Z',
    ])
  })

  test.each([
    ['rate(1 hours)', 'write rate(1 hour)'],
    ['rate(0 minutes)', 'a rate is at least 1'],
    ['cron(0 3 * * * *)', 'exactly one of day of month and day of week must be ?'],
    ['cron(0 3 ? * ? *)', 'exactly one of day of month and day of week must be ?'],
    ['cron(61 3 * * ? *)', 'out of range'],
    ['at(2026-11-23T00:00:00)', 'neither cron(…) nor rate(…)'],
  ])('%s is refused with what is allowed', (expression, why) => {
    expect(() => parseSchedule(expression, 'Asia/Kolkata')).toThrow(why)
    expect(() => parseSchedule(expression, 'Asia/Kolkata')).toThrow('Allowed: cron(')
  })
})

describe('the run at which a broker asks in its own app', () => {
  test('is on trading days where there is a market, and there is none without a time', () => {
    const [rate, atSevenThirty] = ['rate(6 hours)', 'cron(30 7 ? * MON-FRI *)']
    const asking = configured(upstox, { schedules: [rate], approvalAt: '07:30' })
    expect(runExpressions(asking)).toEqual([rate, atSevenThirty])
    const { tradingSession: _, ...daily } = configured(upstox, { schedules: [rate], approvalAt: '07:05' })
    expect(runExpressions(daily)).toEqual([rate, 'cron(5 7 * * ? *)'])
    expect(runExpressions(configured(upstox, { schedules: [rate] }))).toEqual([rate])
    const saturday = Date.parse('2026-11-28T06:00:00+05:30')
    const expression = atSevenThirty
    expect(parseSchedule(expression, 'Asia/Kolkata').next(saturday)).toBe(
      Date.parse('2026-11-30T07:30:00+05:30'),
    )
  })
})
