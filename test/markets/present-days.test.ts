import { beforeEach, describe, expect, test } from 'vitest'
import { PresentDays, withPresentDays } from '../../lib/markets/present-days.ts'
import type { MarketDays } from '../../lib/model/market-days.ts'
import type { MarketDaysStore } from '../../lib/ports/market-days.ts'
import type { StateStore } from '../../lib/ports/state-store.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'

const ELECTIONS: MarketDays = { closed: [{ market: 'in-equity', date: '2027-01-15' }], sessions: [] }

let clock: VirtualClock
let reads: number
let stored: unknown
let fault: Error | undefined
let warned: string[]

beforeEach(() => {
  clock = new VirtualClock('2027-01-12T08:00:00+05:30')
  reads = 0
  stored = undefined
  fault = undefined
  warned = []
})

const store: MarketDaysStore = {
  async read() {
    reads += 1
    if (fault) throw fault
    return stored === undefined ? undefined : { days: stored, revision: 1 }
  },
  replace: async () => true,
}

function telling() {
  return { clock, telemetry: { warn: (message: string) => void warned.push(message) } }
}

describe('what is said of trading days', () => {
  test('is read once in fifteen minutes, however many records are read', async () => {
    const days = new PresentDays()
    stored = ELECTIONS
    await Promise.all(Array.from({ length: 50 }, () => days.refresh(store, telling())))
    expect(reads).toBe(1)
    expect(days.now()).toEqual(ELECTIONS)
    clock.advance({ minutes: 14 })
    await days.refresh(store, telling())
    expect(reads).toBe(1)
    stored = { closed: [], sessions: [] }
    clock.advance({ minutes: 1 })
    await days.refresh(store, telling())
    expect(days.now()).toEqual({ closed: [], sessions: [] })
  })

  test('is read again once the clock was put back', async () => {
    const days = new PresentDays()
    await days.refresh(store, telling())
    clock.set('2027-01-12T06:00:00+05:30')
    await days.refresh(store, telling())
    expect(reads).toBe(2)
  })

  test('stays as it was where it cannot be read, which is tried again after a minute and told each time', async () => {
    const days = new PresentDays()
    stored = ELECTIONS
    await days.refresh(store, telling())
    clock.advance({ minutes: 15 })
    fault = new Error('away')
    await days.refresh(store, telling())
    await days.refresh(store, telling())
    expect(days.now()).toEqual(ELECTIONS)
    expect(warned).toEqual([expect.stringContaining('could not be read')])
    fault = undefined
    stored = undefined
    clock.advance({ minutes: 1 })
    await days.refresh(store, telling())
    expect(days.now()).toEqual({ closed: [], sessions: [] })
  })

  test('counts more where it is stored than in cdk.json, for the same day of the same market', async () => {
    const configured: MarketDays = {
      closed: [...ELECTIONS.closed, { market: 'in-fno', date: '2027-01-15' }],
      sessions: [],
    }
    const days = new PresentDays(configured)
    expect(days.now()).toEqual(configured)
    const session = { market: 'in-equity', date: '2027-01-15', opens: '09:15', closes: '15:30' }
    stored = { closed: [], sessions: [session] }
    await days.refresh(store, telling())
    expect(days.now()).toEqual({ closed: [{ market: 'in-fno', date: '2027-01-15' }], sessions: [session] })
  })

  test('is passed over where this release cannot read it', async () => {
    const days = new PresentDays()
    const [good] = ELECTIONS.closed
    stored = {
      closed: [good, { market: 'jp-equity', date: '2027-01-15' }, 'x', null],
      sessions: [{ ...good }, 7],
    }
    await days.refresh(store, telling())
    expect(days.now()).toEqual(ELECTIONS)
    stored = 'canary'
    clock.advance({ minutes: 15 })
    await days.refresh(store, telling())
    expect(days.now()).toEqual({ closed: [], sessions: [] })
  })
})

test('whoever reads a record knows of the days, and waits for both at once', async () => {
  stored = ELECTIONS
  const days = new PresentDays()
  const state = { account: 'fyers' }
  const states = {
    async *list() {
      expect(reads).toBe(1)
      yield state
    },
    get: async () => state,
  } as unknown as StateStore
  const read = withPresentDays(states, days, store, telling())
  for await (const one of read.list('fyers')) {
    expect(one).toBe(state)
    expect(days.now()).toEqual(ELECTIONS)
  }
  const again = new PresentDays()
  expect(await withPresentDays(states, again, store, telling()).get('fyers' as never)).toBe(state)
  expect(again.now()).toEqual(ELECTIONS)
})
