import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { hoursOn, MARKETS, specialDaysOf } from '../../../lib/markets/markets.ts'
import { MARKET_NAMES, type MarketName } from '../../../lib/model/market-name.ts'

/** `09:15-15:30`, or `closed`. */
function on(market: MarketName, date: string): string {
  const hours = hoursOn(market, Temporal.PlainDate.from(date))
  return hours ? `${hours.opens}-${hours.closes}` : 'closed'
}

/** Each weekday of a year on which a market is closed all day, and each day at other hours than before and after it. */
function closedIn(market: MarketName, year: number): readonly string[] {
  const first = Temporal.PlainDate.from({ year, month: 1, day: 1 })
  return Array.from({ length: first.daysInYear }, (_, days) => first.add({ days }))
    .filter((date) => date.dayOfWeek < 6 && !hoursOn(market, date))
    .map(String)
}

/** NSE's and BSE's holidays of 2026, and whether MCX trades in its morning and its evening. */
const INDIA_2026: readonly (readonly [string, nse: 'closed' | 'open', morning: boolean, evening: boolean])[] =
  [
    ['2026-01-01', 'open', true, false],
    ['2026-01-15', 'closed', false, true],
    ['2026-01-26', 'closed', false, false],
    ['2026-03-03', 'closed', false, true],
    ['2026-03-26', 'closed', false, true],
    ['2026-03-31', 'closed', false, true],
    ['2026-04-03', 'closed', false, false],
    ['2026-04-14', 'closed', false, true],
    ['2026-05-01', 'closed', false, true],
    ['2026-05-28', 'closed', false, true],
    ['2026-06-26', 'closed', false, true],
    ['2026-09-14', 'closed', false, true],
    ['2026-10-02', 'closed', false, false],
    ['2026-10-20', 'closed', false, true],
    ['2026-11-10', 'closed', false, true],
    ['2026-11-24', 'closed', false, true],
    ['2026-12-25', 'closed', false, false],
  ]

describe('India in 2026', () => {
  const usual = { 'in-equity': '09:15-15:30', 'in-currency': '09:00-17:00' } as const

  test.each(INDIA_2026)(
    '%s: NSE is %s; MCX trades in the morning %s, in the evening %s',
    (date, nse, morning, evening) => {
      for (const market of ['in-equity', 'in-currency'] as const) {
        expect(on(market, date)).toBe(nse === 'closed' ? 'closed' : usual[market])
      }
      expect(on('in-fno', date)).toBe(nse === 'closed' ? 'closed' : '09:15-15:30')
      const isSummer = date > '2026-03-08' && date < '2026-11-01'
      const closes = isSummer ? '23:30' : '23:55'
      expect(on('in-mcx', date)).toBe(
        evening ? `${morning ? '09:00' : '17:00'}-${closes}` : morning ? '09:00-17:00' : 'closed',
      )
      expect(on('in-mcx-cotton', date)).toBe(evening ? '17:00-21:00' : morning ? '09:00-17:00' : 'closed')
      expect(on('in-mcx-agri', date)).toBe(morning ? '09:00-17:00' : 'closed')
    },
  )

  test('knows no other closed weekday', () => {
    const nse = INDIA_2026.filter(([, is]) => is === 'closed').map(([date]) => date)
    expect(nse).toHaveLength(16)
    for (const market of ['in-equity', 'in-fno', 'in-currency'] as const)
      expect(closedIn(market, 2026)).toEqual(nse)
    const mcx = INDIA_2026.filter(([, , morning, evening]) => !morning && !evening).map(([date]) => date)
    expect(closedIn('in-mcx', 2026)).toEqual(mcx)
  })

  test('trades on the Sunday of the budget, MCX in the morning only', () => {
    expect(on('in-equity', '2026-02-01')).toBe('09:15-15:30')
    expect(on('in-fno', '2026-02-01')).toBe('09:15-15:30')
    expect(on('in-mcx', '2026-02-01')).toBe('09:00-17:00')
    expect(on('in-equity', '2026-02-08')).toBe('closed')
  })

  test('trades on the Sunday of Diwali at an hour that was announced late: the widest one is taken', () => {
    expect(on('in-equity', '2026-11-08')).toBe('09:15-19:15')
    expect(on('in-mcx', '2026-11-08')).toBe('09:00-00:15')
    expect(specialDaysOf('in-fno', 2026).get('2026-11-08')).toMatchObject({ timeOpen: true })
  })

  test('derivatives close ten minutes later since 3 August', () => {
    expect(on('in-fno', '2026-07-31')).toBe('09:15-15:30')
    expect(on('in-fno', '2026-08-03')).toBe('09:15-15:40')
    expect(on('in-equity', '2026-08-03')).toBe('09:15-15:30')
  })

  test.each([
    ['2026-03-06', '09:00-23:55'],
    ['2026-03-09', '09:00-23:30'],
    ['2026-10-30', '09:00-23:30'],
    ['2026-11-02', '09:00-23:55'],
    ['2027-03-12', '09:00-23:55'],
    ['2027-03-15', '09:00-23:30'],
    ['2027-11-05', '09:00-23:30'],
    ['2027-11-08', '09:00-23:55'],
  ])('MCX follows the clocks of New York: %s %s', (date, hours) => expect(on('in-mcx', date)).toBe(hours))
})

describe('India in 2027, before NSE’s own list', () => {
  test('is closed on what no calendar of the moon can move, and open on what is only expected', () => {
    expect(closedIn('in-equity', 2027)).toEqual(['2027-01-26', '2027-03-26', '2027-04-14'])
    const expected = ['2027-03-10', '2027-03-22', '2027-04-15', '2027-05-17', '2027-06-16']
    for (const date of expected) {
      expect(specialDaysOf('in-equity', 2027).get(date)).toMatchObject({ hours: 'closed', provisional: true })
      expect(on('in-equity', date)).toBe('09:15-15:30')
    }
    expect(specialDaysOf('in-fno', 2027).get('2027-10-29')).toMatchObject({
      provisional: true,
      timeOpen: true,
    })
    expect(on('in-fno', '2027-10-29')).toBe('09:15-19:15')
  })

  test('says where it has that from, and nothing of MCX', () => {
    expect(MARKETS['in-equity'].sourceOf(2027)?.source).toMatch(/^provisional: /)
    expect(MARKETS['in-mcx'].sourceOf(2027)).toBeUndefined()
    expect(closedIn('in-mcx', 2027)).toEqual([])
  })

  test('is known until the end of 2026', () => {
    const until = MARKET_NAMES.map((name) => [name, MARKETS[name].knownUntil])
    for (const [name, date] of until) expect(date).toBe(name?.startsWith('in-') ? '2026-12-31' : undefined)
  })
})

const NEW_YORK = {
  2026: [
    ...['2026-01-01', '2026-01-19', '2026-02-16', '2026-04-03', '2026-05-25'],
    ...['2026-06-19', '2026-07-03', '2026-09-07', '2026-11-26', '2026-12-25'],
  ],
  2027: [
    ...['2027-01-01', '2027-01-18', '2027-02-15', '2027-03-26', '2027-05-31'],
    ...['2027-06-18', '2027-07-05', '2027-09-06', '2027-11-25', '2027-12-24'],
  ],
} as const

const LONDON = {
  2026: [
    '2026-01-01',
    '2026-04-03',
    '2026-04-06',
    '2026-05-04',
    '2026-05-25',
    '2026-08-31',
    '2026-12-25',
    '2026-12-28',
  ],
  2027: [
    '2027-01-01',
    '2027-03-26',
    '2027-03-29',
    '2027-05-03',
    '2027-05-31',
    '2027-08-30',
    '2027-12-27',
    '2027-12-28',
  ],
} as const

describe('by rule', () => {
  test.each([2026, 2027] as const)('New York in %i is closed as NYSE has announced', (year) => {
    expect(closedIn('us-equity', year)).toEqual(NEW_YORK[year])
  })

  test.each([
    [2026, ['2026-11-27', '2026-12-24']],
    [2027, ['2027-11-26']],
  ] as const)('New York in %i closes early', (year, early) => {
    const days = [...specialDaysOf('us-equity', year)].filter(([, { hours }]) => hours !== 'closed')
    expect(days.map(([date]) => date)).toEqual(early)
    for (const date of early) expect(on('us-equity', date)).toBe('09:30-13:00')
  })

  test.each([2026, 2027] as const)('London in %i is closed, and has two half days', (year) => {
    expect(closedIn('gb-equity', year)).toEqual(LONDON[year])
    for (const day of [24, 31]) expect(on('gb-equity', `${year}-12-${day}`)).toBe('08:00-12:30')
    expect(on('gb-equity', `${year}-12-23`)).toBe('08:00-16:30')
  })

  test('a New Year’s Day on a Saturday is not made up for in New York, and is in London', () => {
    expect(on('us-equity', '2027-12-31')).toBe('09:30-16:00')
    expect(on('us-equity', '2028-01-03')).toBe('09:30-16:00')
    expect(on('gb-equity', '2028-01-03')).toBe('closed')
  })
})
