import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { runBroker } from '../../../lib/tokens/refresh/run.ts'
import { RotaWorld } from '../../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../../support/rotating-broker.ts'

let world: RotaWorld
let simulator: RotabrokerSimulator
let server: SimulatorServer

beforeEach(async () => {
  world = await RotaWorld.open()
  ;({ simulator, server } = world)
})

afterEach(() => world.close())

describe('time', () => {
  test('R0.9 accounts start at least the pacing apart', async () => {
    await world.rotaAccounts(4)
    const starts: number[] = []
    await runBroker(
      {
        broker: rotabroker,
        owner: 'paced',
        pacingSeconds: 2,
        hardDeadline: world.clock.now().add({ minutes: 10 }),
        onProgress: ({ event }) => {
          if (event === 'started') starts.push(world.clock.now().epochMilliseconds)
        },
      },
      world.ports,
    )
    const gaps = starts.slice(1).map((at, index) => at - (starts[index] as number))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2000)
  })

  test('R0.9 accounts that need no call wait for nobody: two hundred fresh ones take no time', async () => {
    await world.rotaAccounts(200)
    const hardDeadline = world.clock.now().add({ hours: 1 })
    await runBroker({ broker: rotabroker, owner: 'first', pacingSeconds: 0, hardDeadline }, world.ports)
    const started: string[] = []
    const { report } = await runBroker(
      {
        broker: rotabroker,
        owner: 'second',
        pacingSeconds: 2,
        hardDeadline,
        onProgress: ({ event, account }) => void (event === 'started' && started.push(account)),
      },
      world.ports,
    )
    expect(report.results.filter(({ outcome }) => outcome === 'fresh').length).toBe(200)
    expect(started).toEqual([])
    expect(world.clock.now().until(hardDeadline).total('minutes')).toBeGreaterThan(59)
  })

  test('pacing longer than what is left hands the rest over before the deadline, not after it', async () => {
    const [, second] = await world.rotaAccounts(2)
    const hardDeadline = world.clock.now().add({ seconds: 60 })
    const request = { broker: rotabroker, owner: 'slow', pacingSeconds: 70, hardDeadline }
    const run = await runBroker(request, world.ports)
    expect(run.remaining).toEqual([second])
    expect(Number(world.clock.now().until(hardDeadline).total('seconds'))).toBeGreaterThan(0)
  })

  test('I8 a wait that ends after the deadline is left to a later run, which keeps to it', async () => {
    await world.rotaAccounts(1)
    server.failNext('/token', { kind: 'reply', status: 429, body: '{}', headers: { 'retry-after': '600' } })
    const { report } = await world.run(rotabroker, { seconds: 300 })
    expect(report.results).toMatchObject([{ outcome: 'failed', code: 'rate_limited' }])
    world.clock.advance({ minutes: 5 })
    await world.run(rotabroker, { seconds: 60 })
    expect(simulator.exchanges).toBe(0)
    world.clock.advance({ minutes: 5 })
    expect((await world.run(rotabroker)).report.refreshed).toBe(1)
  })

  test('a short wait the broker asks for is sat out within the run', async () => {
    await world.rotaAccounts(1)
    server.failNext('/token', { kind: 'reply', status: 429, body: '{}', headers: { 'retry-after': '30' } })
    expect((await world.run(rotabroker)).report).toMatchObject({ refreshed: 1 })
    expect(world.alerts).toHaveLength(0)
  })

  test('I8 a Retry-After that is a date is kept to the second', async () => {
    const [only] = (await world.rotaAccounts(1)) as [AccountId]
    world.clock.set('2026-11-23T01:30:00Z')
    const headers = { 'retry-after': 'Mon, 23 Nov 2026 01:31:30 GMT' }
    server.failNext('/token', { kind: 'reply', status: 429, body: '{}', headers })
    const { report } = await world.run(rotabroker, { seconds: 60 })
    expect(report.results).toMatchObject([{ outcome: 'failed', code: 'rate_limited' }])
    expect((await world.ports.states.get(only))?.notBefore).toEqual(world.at('2026-11-23T01:31:30Z'))
  })

  test('I8 a pause never grows past the last start, after which no try would follow', async () => {
    await world.rotaAccounts(1)
    for (const seconds of ['1', '100']) {
      server.failNext('/token', {
        kind: 'reply',
        status: 429,
        body: '{}',
        headers: { 'retry-after': seconds },
      })
    }
    expect((await world.run(rotabroker, { seconds: 300 })).report).toMatchObject({ refreshed: 1 })
  })

  test('I8 a long wait of one account does not hold up the short one of another', async () => {
    const [, second] = (await world.rotaAccounts(2)) as [AccountId, AccountId]
    const startedAt = world.clock.now()
    for (const seconds of ['600', '2']) {
      server.failNext('/token', {
        kind: 'reply',
        status: 429,
        body: '{}',
        headers: { 'retry-after': seconds },
      })
    }
    await world.run({ ...rotabroker, concurrency: 1 })
    const issuedAt = (await world.ports.states.get(second))?.accessToken?.issuedAt
    expect(issuedAt && startedAt.until(issuedAt).total('seconds')).toBeLessThan(60)
  })

  test('I8 a wait of years is taken for a mistake: the account is tried again within a day', async () => {
    await world.rotaAccounts(1)
    server.failNext('/token', {
      kind: 'reply',
      status: 429,
      body: '{}',
      headers: { 'retry-after': '999999999' },
    })
    await world.run(rotabroker)
    world.clock.advance({ hours: 25 })
    expect((await world.run(rotabroker)).report).toMatchObject({ refreshed: 1 })
  })
})

describe('a run in the middle of which our clock is set back', () => {
  /** The pauses made since. */
  const pausesAfterSettingBack = (isTheMoment: (milliseconds: number) => boolean): number[] => {
    const pauses: number[] = []
    const sleep = world.clock.sleep.bind(world.clock)
    let isSet = false
    world.clock.sleep = async (milliseconds) => {
      if (isSet) pauses.push(milliseconds)
      await sleep(milliseconds)
      if (isSet || !isTheMoment(milliseconds)) return
      isSet = true
      world.clock.set('2026-11-16T07:00:00+05:30')
    }
    return pauses
  }

  test('paces its accounts as before, and waits for no time that will not come', async () => {
    await world.rotaAccounts(4)
    const pauses = pausesAfterSettingBack((milliseconds) => milliseconds === 2_000)
    const hardDeadline = world.clock.now().add({ minutes: 14 })
    const wish = { broker: { ...rotabroker, concurrency: 1 }, owner: 'run', pacingSeconds: 2, hardDeadline }
    const { report } = await runBroker(wish, world.ports)
    expect(report).toMatchObject({ refreshed: 4 })
    expect(pauses).toEqual([2_000])
  })

  test('tries a passing fault again after the pause it had chosen, no longer', async () => {
    const [first, second] = await world.rotaAccounts(2)
    world.failNext('http.send', { times: 2 })
    const pauses = pausesAfterSettingBack(() => true)
    const { report } = await world.run(
      { ...rotabroker, concurrency: 1 },
      { accounts: [first, second] as never },
    )
    expect(report).toMatchObject({ refreshed: 2 })
    expect(pauses.length).toBeGreaterThan(0)
    for (const pause of pauses) expect(pause).toBeLessThan(3_000)
  })
})
