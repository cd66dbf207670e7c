import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { CLOCK_TOLERANCE_SECONDS, isFromTheFuture } from '../../../lib/model/time/clock-tolerance.ts'
import { runBroker } from '../../../lib/tokens/refresh/run.ts'
import { heldUntil, isHeld } from '../../../lib/tokens/rules/decide/held.ts'
import { clockAhead } from '../../support/clock-ahead.ts'
import { RotaWorld } from '../../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../../support/rotating-broker.ts'

const NOW = Temporal.Instant.from('2026-11-23T07:00:00+05:30')
const at = (seconds: number): Temporal.Instant => NOW.add({ seconds })

test('what is written less than two minutes ahead may be another clock’s; further ahead is the future', () => {
  expect(CLOCK_TOLERANCE_SECONDS).toBe(120)
  expect([120, 121].map((seconds) => isFromTheFuture(at(seconds), NOW))).toEqual([false, true])
})

describe('a lease', () => {
  test.each([
    ['taken just now', 0, 90, true],
    ['at its end', -90, 0, true],
    ['two minutes after its end but one second, since its holder’s clock may be behind', -209, -119, true],
    ['two minutes after its end', -210, -120, false],
    ['taken by a clock two minutes ahead', 120, 210, true],
    ['taken by a clock further ahead', 121, 211, false],
    ['taken by a clock a year ahead', 31_536_000, 31_536_090, false],
    ['taken before our clock was set back, by a process that went on', 0, 31_536_000, true],
    ['the same, when no process lives any more but for the tolerance', -3_600 - 119, 31_536_000, true],
    ['the same, when no process lives any more', -3_600 - 120, 31_536_000, false],
  ])('%s', (_, takenAt, until, held) => {
    expect(isHeld({ owner: 'x', takenAt: at(takenAt), until: at(until) }, NOW)).toBe(held)
  })

  test.each([
    ['that has ended', 0, false],
    ['that is about to end', 1, true],
    ['of an hour', 3_600, true],
    ['of an hour by a clock two minutes ahead', 3_720, true],
    ['that is longer than any', 3_721, false],
  ])('of an earlier version %s', (_, until, held) => {
    expect(isHeld({ owner: 'x', until: at(until) }, NOW)).toBe(held)
  })

  test('says until when others wait for it', () => {
    expect(heldUntil({ owner: 'x', takenAt: at(0), until: at(90) }).equals(at(210))).toBe(true)
    expect(heldUntil({ owner: 'x', takenAt: at(0), until: at(9_999) }).equals(at(3_720))).toBe(true)
    expect(heldUntil({ owner: 'x', until: at(90) }).equals(at(90))).toBe(true)
  })

  test('is never two workers’, whose clocks are up to two minutes apart', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -120, max: 120 }),
        fc.integer({ min: 1, max: 3_600 }),
        fc.integer({ min: 0, max: 8_000 }),
        (othersAheadSeconds, lengthSeconds, laterSeconds) => {
          const lease = { owner: 'x', takenAt: NOW, until: at(lengthSeconds) }
          const holderWorks = laterSeconds < lengthSeconds
          return !holderWorks || isHeld(lease, at(laterSeconds + othersAheadSeconds))
        },
      ),
    )
  })
})

describe('two workers with clocks 120 s apart', () => {
  let world: RotaWorld
  let simulator: RotabrokerSimulator
  let account: AccountId

  beforeEach(async () => {
    world = await RotaWorld.open()
    ;({ simulator } = world)
    account = await world.rotaAccount()
  })
  afterEach(() => world.close())

  /** A run by a clock of its own; `atGrant` is called as its grant reaches the wire. */
  async function worker(owner: string, aheadSeconds: number, atGrant: () => Promise<void> = async () => {}) {
    const clock = clockAhead(world.clock, { seconds: aheadSeconds })
    const { http } = world.ports
    const ports = {
      ...world.ports,
      clock,
      http: {
        send: async (request: Parameters<typeof http.send>[0]) => {
          if (request.url.endsWith('/token')) await atGrant()
          return http.send(request)
        },
      },
    }
    const hardDeadline = clock.now().add({ seconds: 600 })
    const run = { broker: rotabroker, accounts: [account], owner, hardDeadline, pacingSeconds: 0 }
    return (await runBroker(run, ports)).report.results[0]?.outcome
  }

  test.each([
    [0, 120],
    [-120, 0],
    [0, -120],
    [-60, 60],
  ])('the one %i s, the other %i s ahead, never hold one account together', async (oneAhead, otherAhead) => {
    const others: (string | undefined)[] = []
    await worker('one', oneAhead, async () => {
      const until = (await world.ports.states.get(account))?.lease?.until
      if (!until) throw new Error('no lease')
      const oneNow = (): Temporal.Instant => world.clock.now().add({ seconds: oneAhead })
      // The other looks now, and again as the first one's lease is about to end by its own clock.
      others.push(await worker('other', otherAhead))
      const leftMs = oneNow().until(until).total('milliseconds')
      world.clock.advance({ milliseconds: leftMs - 1 })
      others.push(await worker('other', otherAhead))
    })
    expect(others).toEqual(['skipped', 'skipped'])
    expect(simulator.grantsSeen).toBe(1)
  })
})
