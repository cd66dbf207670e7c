import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { type AccountState, newAccountState } from '../../lib/model/account-state.ts'
import { type RunReport, report } from '../../lib/model/outcome.ts'
import type { ServiceRefusal } from '../../lib/ports/token-service.ts'
import { type Renewals, renewals } from '../../lib/rest/renewals.ts'
import type { RestOptions } from '../../lib/rest/rest-env.ts'
import { reportLine } from '../../lib/tokens/rules/outcome/report-line.ts'

/** API Gateway and the site's function give up after 29 s; the reply needs its own reads besides. */
const LONGEST_S = 25
const CALLER = { keyId: 'sim', scopes: [], accounts: undefined } as unknown as Parameters<
  Renewals['renew']
>[2]
const account = parseAccountId('upstox/ACC1')

let state: AccountState
let runs: (() => Promise<RunReport | ServiceRefusal>)[]
let asked: number
let site: Renewals

const later = <T>(seconds: number, value: T) =>
  new Promise<T>((resolve) => setTimeout(() => resolve(value), seconds * 1_000))
const held = () =>
  report([
    reportLine(
      upstox,
      state,
      { outcome: 'skipped', reason: 'another run is at work' },
      Temporal.Instant.from('2026-11-23T03:00:00Z'),
    ),
  ])
const fresh = () =>
  report([
    reportLine(
      upstox,
      state,
      { outcome: 'fresh', reason: 'it is live' },
      Temporal.Instant.from('2026-11-23T03:00:00Z'),
    ),
  ])

/** How an asker fares, and after how many seconds. */
async function outcome(): Promise<{ readonly seconds: number; readonly ended: unknown }> {
  const from = Date.now()
  const ended = await site.renew({ broker: upstox, state }, { reported: { generation: 0 } }, CALLER).then(
    (result) => result.outcome,
    (error) => ({ code: error.code, retryAfter: error.details.retryAfterSeconds }),
  )
  return { seconds: (Date.now() - from) / 1_000, ended }
}

beforeEach(() => {
  vi.useFakeTimers()
  const now = () => Temporal.Instant.fromEpochMilliseconds(Date.now())
  const lease = { owner: 'another', until: now().add({ minutes: 10 }) }
  state = { ...newAccountState(account, {}), lease }
  runs = []
  asked = 0
  const refresh = () => {
    asked += 1
    return (runs.shift() as () => Promise<RunReport | ServiceRefusal>)()
  }
  const clock = { now, sleep: (milliseconds: number) => later(milliseconds / 1_000, undefined) }
  const states = { get: async () => state }
  site = renewals({ tokens: { refresh }, ports: { states, clock } } as unknown as RestOptions)
})
afterEach(() => {
  vi.useRealTimers()
})

describe('whoever waits for a renewal', () => {
  const BUSY = { code: 'busy', retryAfter: 2 }

  test('is answered before the gateway gives up, however many rounds there were', async () => {
    runs = [() => later(1.5, held()), () => later(27, held()), () => later(27, held())]
    const ended = outcome()
    await vi.advanceTimersByTimeAsync(120_000)
    expect(await ended).toEqual({ seconds: expect.any(Number), ended: BUSY })
    expect((await ended).seconds).toBeLessThan(LONGEST_S)
    // Nobody waits for a third round.
    expect(asked).toBe(2)
  })

  test('of a run that takes its time is told to ask again, and then shares what it brings', async () => {
    runs = [() => later(40, fresh())]
    const first = outcome()
    await vi.advanceTimersByTimeAsync(26_000)
    expect(await first).toMatchObject({ ended: BUSY })
    const second = outcome()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await second).toEqual({ seconds: 14, ended: 'fresh' })
    expect(asked).toBe(1)
  })

  test('who has gone leaves no unhandled rejection of the run that fails after it', async () => {
    const refusal = { refused: true, code: 'state', reason: 'away', fix: 'wait' } as const
    runs = [() => later(40, refusal), () => later(1, fresh())]
    const first = outcome()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await first).toMatchObject({ ended: BUSY })
    const second = outcome()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await second).toEqual({ seconds: 1, ended: 'fresh' })
  })

  test('of a quick run leaves no timer behind', async () => {
    runs = [() => later(1, fresh())]
    const ended = outcome()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await ended).toEqual({ seconds: 1, ended: 'fresh' })
    expect(vi.getTimerCount()).toBe(0)
  })
})
