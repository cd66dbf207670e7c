import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { isUsDaylightTime } from '../../lib/markets/days/date-rules.ts'
import { MARKETS } from '../../lib/markets/markets.ts'
import { marketSession, sessionOf } from '../../lib/markets/session.ts'
import { presentTradingDay } from '../../lib/markets/trading-day.ts'
import type { MarketDays } from '../../lib/model/market-days.ts'
import { MARKET_NAMES, type MarketName } from '../../lib/model/market-name.ts'

const day = Temporal.PlainDate.from
const at = Temporal.Instant.from

/** `2026-11-25 09:15-15:40` on the clocks of the session. */
function present(markets: readonly MarketName[], now: string, days?: MarketDays): string {
  const session = marketSession(markets, days && (() => days))
  const { date, opens, closes } = presentTradingDay(session, at(now))
  const time = (instant: Temporal.Instant): string =>
    instant.toZonedDateTimeISO(session.timeZone).toPlainTime().toString({ smallestUnit: 'minute' })
  return `${date} ${time(opens)}-${time(closes)}`
}

describe('the session that is on, or the next one', () => {
  test.each<[string, readonly MarketName[], string, string]>([
    ['passes over a holiday', ['in-equity'], '2026-11-23T16:00:00+05:30', '2026-11-25 09:15-15:30'],
    ['is one of a Sunday', ['in-equity'], '2026-01-31T12:00:00+05:30', '2026-02-01 09:15-15:30'],
    [
      'ends with the latest market',
      ['in-equity', 'in-fno'],
      '2026-11-25T15:35:00+05:30',
      '2026-11-25 09:15-15:40',
    ],
    [
      'begins with the earliest',
      ['in-equity', 'in-mcx'],
      '2026-11-25T09:05:00+05:30',
      '2026-11-25 09:00-23:55',
    ],
    [
      'is MCX’ alone on a holiday of NSE',
      ['in-equity', 'in-mcx'],
      '2026-11-24T06:00:00+05:30',
      '2026-11-24 17:00-23:55',
    ],
    [
      'lasts beyond midnight',
      ['in-equity', 'us-equity'],
      '2026-11-26T01:30:00+05:30',
      '2026-11-25 09:15-02:30',
    ],
    [
      'after midnight is over',
      ['in-equity', 'us-equity'],
      '2026-11-26T02:30:00+05:30',
      '2026-11-26 09:15-15:30',
    ],
    ['lasts beyond midnight on Diwali', ['in-mcx'], '2026-11-09T00:10:00+05:30', '2026-11-08 09:00-00:15'],
  ])('%s', (_, markets, now, expected) => expect(present(markets, now)).toBe(expected))

  test('is what the owner has said, the last word on a day first', () => {
    const closed = [{ market: 'in-equity', date: '2026-11-25', why: 'elections' } as const]
    const hours = { opens: '18:00', closes: '19:00' }
    const sessions = [
      { market: 'in-equity', date: '2026-11-28', opens: '10:00', closes: '11:00' } as const,
      { market: 'in-equity', date: '2026-11-28', ...hours } as const,
    ]
    const now = '2026-11-24T20:00:00+05:30'
    expect(present(['in-equity'], now, { closed, sessions })).toBe('2026-11-26 09:15-15:30')
    expect(present(['in-fno'], now, { closed, sessions })).toBe('2026-11-25 09:15-15:40')
    expect(present(['in-equity'], '2026-11-27T20:00:00+05:30', { closed, sessions })).toBe(
      '2026-11-28 18:00-19:00',
    )
  })
})

describe('the markets of an account', () => {
  const broker = { tradingSession: marketSession(['in-equity', 'in-fno']) }

  test('are its broker’s unless it names its own', () => {
    expect(sessionOf(broker, {})).toBe(broker.tradingSession)
    expect(sessionOf(broker, { markets: ['in-mcx'] })?.markets).toEqual(['in-mcx'])
    expect(sessionOf(broker, { markets: ['in-mcx', 'of-a-later-release'] })?.markets).toEqual(['in-mcx'])
  })

  test('may be none', () => {
    expect(sessionOf(broker, { markets: [] })).toBeUndefined()
    expect(sessionOf({}, { markets: ['in-mcx'] })).toBeUndefined()
  })

  test('know what the owner says of days, later too', () => {
    let days: MarketDays = { closed: [], sessions: [] }
    const session = sessionOf(
      { tradingSession: marketSession(['in-equity'], () => days) },
      { markets: ['in-mcx'] },
    )
    expect(session?.on(day('2026-11-25'))).toBeDefined()
    days = { closed: [{ market: 'in-mcx', date: '2026-11-25' }], sessions: [] }
    expect(session?.on(day('2026-11-25'))).toBeUndefined()
  })
})

/** Around leap days, ends of years, both US switches, known and unknown years. */
const AROUND = ['2026-03-08', '2026-11-01', '2026-12-31', '2028-02-29', '2027-03-14', '2031-06-15'] as const
const INSTANT = fc
  .tuple(fc.constantFrom(...AROUND), fc.integer({ min: -8 * 86_400, max: 8 * 86_400 }))
  .map(([date, seconds]) => at(`${date}T00:00:00Z`).add({ seconds }))
const SOME_MARKETS = fc.uniqueArray(fc.constantFrom(...MARKET_NAMES), { minLength: 1 })

describe('whatever the markets and the instant', () => {
  test('the present session is not over, and none before it is still on', () => {
    fc.assert(
      fc.property(SOME_MARKETS, INSTANT, (markets, now) => {
        const session = marketSession(markets)
        const present = presentTradingDay(session, now)
        expect(Temporal.Instant.compare(present.closes, now)).toBe(1)
        expect(Temporal.Instant.compare(present.opens, present.closes)).toBe(-1)
        const earlier = [1, 2, 3].map((days) => session.on(present.date.subtract({ days })))
        for (const one of earlier) if (one) expect(Temporal.Instant.compare(one.closes, now)).toBeLessThan(1)
      }),
    )
  })

  test('a further market makes a session longer, never shorter', () => {
    fc.assert(
      fc.property(SOME_MARKETS, fc.constantFrom(...MARKET_NAMES), INSTANT, (markets, further, now) => {
        const date = now.toZonedDateTimeISO('UTC').toPlainDate()
        const [before, after] = [
          marketSession(markets).on(date),
          marketSession([...markets, further]).on(date),
        ]
        if (!before) return
        expect(after && Temporal.Instant.compare(after.opens, before.opens)).toBeLessThan(1)
        expect(after && Temporal.Instant.compare(after.closes, before.closes)).toBeGreaterThan(-1)
      }),
    )
  })

  test('a market opens and closes at its own wall-clock times, on both sides of a switch', () => {
    fc.assert(
      fc.property(fc.constantFrom('us-equity' as const, 'gb-equity' as const), INSTANT, (market, now) => {
        const { date, opens } = presentTradingDay(marketSession([market]), now)
        const local = opens.toZonedDateTimeISO(MARKETS[market].timeZone)
        expect(local.toPlainDate().equals(date)).toBe(true)
        expect(local.toPlainTime().toString({ smallestUnit: 'minute' })).toBe(
          market === 'us-equity' ? '09:30' : '08:00',
        )
      }),
    )
  })

  test('in a year nobody knows each weekday is open and no other day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 365 * 3 }), (days) => {
        const date = day('2028-01-01').add({ days })
        for (const market of ['in-equity', 'in-fno', 'in-mcx'] as const) {
          expect(marketSession([market]).on(date) !== undefined).toBe(date.dayOfWeek < 6)
        }
      }),
    )
  })
})

test('US daylight time goes by the rule as the clocks of New York do', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 365 * 20 }), (days) => {
      const date = day('2020-01-01').add({ days })
      const noon = date.toZonedDateTime({ timeZone: 'America/New_York', plainTime: '12:00' })
      expect(isUsDaylightTime(date)).toBe(noon.offset === '-04:00')
    }),
  )
})
