import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
import { HTML_502 } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { RotaWorld } from '../../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../../support/rotating-broker.ts'

let world: RotaWorld
let simulator: RotabrokerSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = await RotaWorld.open()
  ;({ simulator, server } = world)
  account = await world.rotaAccount()
})

afterEach(() => world.close())

const result = () => world.runOne(rotabroker)

/** Lets the access token of the last run come due. */
function later(minutes = 25): void {
  world.clock.advance({ minutes })
}

describe('I4 a lost reply to a single-use grant is never repeated blindly', () => {
  test('the grant is sent once; what is stored is probed at once, and a person is asked where it is dead', async () => {
    await result()
    later()
    server.failNext('/token', { kind: 'lost_reply' })
    const proofs = server.count('/me')
    expect(await result()).toMatchObject({ outcome: 'awaiting_login', live: false })
    expect(server.count('/me')).toBe(proofs + 1)
    expect(world.alerts).toHaveLength(1)
    world.clock.advance({ minutes: 1 })
    expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
    expect(server.count('/token')).toBe(2)
    expect(simulator.reuses).toBe(0)
  })

  test('where the stored token still lives nobody is asked', async () => {
    await result()
    later()
    // The broker has done nothing, and nobody here can know that.
    server.failNext('/token', HTML_502)
    expect(await result()).toMatchObject({ outcome: 'ambiguous', code: 'ambiguous', live: true })
    expect(world.alerts).toHaveLength(0)
  })

  test('a server fault counts like a lost reply', async () => {
    server.failNext('/token', HTML_502)
    expect(await result()).toMatchObject({ outcome: 'ambiguous' })
    world.clock.advance({ minutes: 5 })
    await result()
    expect(server.count('/token')).toBe(1)
  })

  test('a new login ends the ambiguity', async () => {
    server.failNext('/token', { kind: 'lost_reply' })
    await result()
    world.clock.advance({ minutes: 5 })
    await world.store(account, { refresh_token: simulator.login('SIM001') })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
  })
})

describe('I4 whatever leaves the fate of a single-use grant open, the grant is not sent again', () => {
  test('a reply that cannot be read', async () => {
    const { http } = world.ports
    const garbled: Ports['http'] = {
      send: async (request) => ({ ...(await http.send(request)), body: '{"access":"denied?"}' }),
    }
    world.ports = { ...world.ports, http: garbled }
    expect(await result()).toMatchObject({ outcome: 'failed', code: 'response_unexpected' })
    world.ports = { ...world.ports, http }
    later()
    expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
    expect(simulator.reuses).toBe(0)
  })

  test('a new refresh token that could not be saved', async () => {
    const denied = world.failNext('vault.write', { times: 'all' })
    await world.run(rotabroker, { seconds: 60 })
    denied.stop()
    later()
    for (let i = 0; i < 3; i++) {
      expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
      later()
    }
    expect(simulator.reuses).toBe(0)
    // Whoever was paged about the loss knows to log in.
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['token_lost'])
  })

  test('a stale answer of SSM after the new one was saved and the proof failed', async () => {
    const { vault } = world.ports
    const before = await vault.read(account, ['refresh_token'])
    let staleReads = 0
    const write: typeof vault.write = async (...asked) => {
      staleReads = 2
      return vault.write(...asked)
    }
    const read: typeof vault.read = async (...asked) => {
      const found = await vault.read(...asked)
      return staleReads-- > 0 ? new Map([...found, ...before]) : found
    }
    world.ports = { ...world.ports, vault: { ...vault, read, write } }
    for (let i = 0; i < 4; i++) server.failNext('/me', HTML_502)
    // What was minted is kept and published by the same run's next try: no second one is needed.
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect(simulator.exchanges).toBe(1)
    expect(simulator.reuses).toBe(0)
  })

  test('but a refusal for now does not: the same grant is sent when the wait is over', async () => {
    server.failNext('/token', { kind: 'reply', status: 429, body: '{}', headers: { 'retry-after': '600' } })
    await world.run(rotabroker, { seconds: 120 })
    world.clock.advance({ minutes: 11 })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
  })
})
