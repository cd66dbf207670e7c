import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { AccountResult } from '../../lib/model/outcome.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { RotaWorld } from '../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../support/rotating-broker.ts'

let world: RotaWorld
let simulator: RotabrokerSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = await RotaWorld.open()
  ;({ simulator, server } = world)
  account = await world.rotaAccount()
  await world.run(rotabroker)
  world.clock.advance({ minutes: 5 })
})
afterEach(() => world.close())

const report = async (generation: number): Promise<AccountResult | undefined> =>
  world.runOne(rotabroker, { accounts: [account], reported: { generation } })

describe('a consumer reports that the broker refused its token', () => {
  test('and the token is dead indeed: it is renewed although it should have lived', async () => {
    simulator.killAccessTokens()
    expect((await report(1))?.outcome).toBe('refreshed')
    expect((await world.ports.states.get(account))?.generation).toBe(2)
    expect(simulator.exchanges).toBe(2)
  })

  test('and the token is alive: it is proven again and stays', async () => {
    expect((await report(1))?.outcome).toBe('fresh')
    expect(simulator.exchanges).toBe(1)
    expect((await world.ports.states.get(account))?.generation).toBe(1)
  })

  test('of an older generation: the report is stale and costs no call', async () => {
    await world.run(rotabroker, { accounts: [account], force: true })
    world.clock.advance({ minutes: 5 })
    const before = server.seen.length
    expect((await report(1))?.outcome).toBe('fresh')
    expect(server.seen.length).toBe(before)
  })

  test('five hundred times at once: one look at the broker and one renewal', async () => {
    simulator.killAccessTokens()
    const proofs = simulator.proofs
    const outcomes = await Promise.all(Array.from({ length: 500 }, () => report(1)))
    expect(simulator.exchanges).toBe(2)
    // One look at the refused token, one proof of the new one.
    expect(simulator.proofs - proofs).toBe(2)
    expect(outcomes.filter((one) => one?.outcome === 'refreshed')).toHaveLength(1)
  })

  test('again and again about a live token: the broker is asked once a minute at most', async () => {
    const proofs = simulator.proofs
    for (let second = 0; second < 180; second += 2) {
      await report(1)
      world.clock.advance({ seconds: 2 })
    }
    expect(simulator.proofs - proofs).toBeLessThanOrEqual(3)
    expect(simulator.exchanges).toBe(1)
  })
})
