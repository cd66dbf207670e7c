import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { zerodha } from '../../lib/brokers/zerodha/zerodha.ts'
import { dayFindings } from '../../lib/cli/doctor/days.ts'
import { endingDays, isDayToTell } from '../../lib/markets/known-until.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { newAccountState } from '../../lib/model/account-state.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'

const at = (date: string): Temporal.Instant => Temporal.Instant.from(`${date}T07:00:00+05:30`)

describe('days that are known until the end of 2026', () => {
  test.each([
    ['2026-11-30', undefined, false],
    ['2026-12-01', 30, true],
    ['2026-12-02', 29, false],
    ['2026-12-08', 23, true],
    ['2026-12-31', 0, false],
    ['2027-01-05', -5, true],
    ['2027-06-01', -152, true],
  ])('are told of from a month before on, by mail once a week: %s', (date, daysLeft, isTold) => {
    const [ending] = endingDays(['in-equity', 'in-fno', 'us-equity'], at(date))
    expect(ending?.daysLeft).toBe(daysLeft)
    expect(ending ? isDayToTell(ending) : false).toBe(isTold)
    if (ending) expect(ending.markets).toEqual(['in-equity', 'in-fno'])
  })

  test('are no matter to whoever trades where days go by rules', () => {
    expect(endingDays(['us-equity', 'gb-equity', 'of-a-later-release'], at('2027-06-01'))).toEqual([])
  })

  test('are what doctor looks at, by the markets of each account', () => {
    const account = (markets?: readonly string[]) => ({
      broker: zerodha,
      state: newAccountState(parseAccountId('zerodha'), markets ? { markets } : {}),
    })
    const found = (date: string, markets?: readonly string[]) =>
      dayFindings([account(markets)], new VirtualClock(`${date}T07:00:00+05:30`))
    expect(found('2026-11-30')).toMatchObject([{ verdict: 'pass', what: 'trading days' }])
    expect(found('2026-12-01')).toMatchObject([
      {
        verdict: 'warn',
        says: expect.stringContaining('of in-equity, in-fno are known until 2026-12-31'),
        fix: expect.stringContaining('tokenkeeper markets close in-equity 2027-01-26'),
      },
    ])
    expect(found('2026-12-01', ['in-mcx'])).toMatchObject([
      { says: expect.stringContaining('of in-mcx are') },
    ])
    expect(found('2026-12-01', ['us-equity'])).toMatchObject([{ verdict: 'pass' }])
    expect(found('2026-12-01', [])).toEqual([])
  })
})
