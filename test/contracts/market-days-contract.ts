import { expect, test } from 'vitest'
import type { MarketDays } from '../../lib/model/market-days.ts'
import type { MarketDaysStore } from '../../lib/ports/market-days.ts'

const CLOSED: MarketDays = {
  closed: [
    { market: 'in-equity', date: '2027-01-15', why: 'élections' },
    { market: 'in-fno', date: '2027-01-15' },
  ],
  sessions: [{ market: 'in-mcx', date: '2027-10-29', opens: '18:00', closes: '00:15', why: undefined }],
}

/** What every store of days keeps to; `fresh` gives one in which nothing is stored. */
export function marketDaysContract(fresh: () => Promise<MarketDaysStore> | MarketDaysStore): void {
  test('has nothing until something is said, and then that', async () => {
    const store = await fresh()
    expect(await store.read()).toBeUndefined()
    expect(await store.replace(CLOSED, 0)).toBe(true)
    const stored = await store.read()
    expect(stored?.revision).toBe(1)
    expect(JSON.parse(JSON.stringify(stored?.days))).toEqual(JSON.parse(JSON.stringify(CLOSED)))
  })

  test('writes over nothing that somebody else has said since', async () => {
    const store = await fresh()
    expect(await store.replace(CLOSED, 0)).toBe(true)
    expect(await store.replace({ closed: [], sessions: [] }, 0)).toBe(false)
    expect(await store.replace({ closed: [], sessions: [] }, 2)).toBe(false)
    expect(await store.replace({ closed: [], sessions: [] }, 1)).toBe(true)
    expect(await store.read()).toEqual({ days: { closed: [], sessions: [] }, revision: 2 })
  })
}
