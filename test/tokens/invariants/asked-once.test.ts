import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
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

describe('I5 a person is asked once, and told when it is over', () => {
  beforeEach(() => world.store(account, { refresh_token: 'sim.spent.refresh.token' }))

  test('ten runs of an open incident send one message; the login that ends it sends another', async () => {
    for (let i = 0; i < 10; i++) {
      expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
      world.clock.advance({ minutes: 15 })
    }
    await world.store(account, { refresh_token: simulator.login('SIM001') })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
    expect(new Set(world.alerts.map(({ incident }) => incident)).size).toBe(1)
  })

  test('a dead token stored by hand while the incident is open is probed once and sends no second message', async () => {
    await result()
    await world.store(account, { access_token: 'sim.dead.access.token' })
    expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
    expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
    expect(server.count('/me')).toBe(1)
    expect(world.alerts).toHaveLength(1)
  })

  test('a message that could not be delivered is sent by the next run', async () => {
    const away = world.failNext('notifier.notify', { times: 'all' })
    expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
    expect(world.counts.get('rotabroker NotifyFailed')).toBe(1)
    away.stop()
    await result()
    await result()
    expect(world.alerts).toHaveLength(1)
  })

  test('word that it is over is sent by the next run when it could not be delivered', async () => {
    await result()
    await world.store(account, { refresh_token: simulator.login('SIM001') })
    const away = world.failNext('notifier.notify', { times: 'all' })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    away.stop()
    await result()
    await result()
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
  })

  test('a new need is told although word of the end of the last one is still on its way', async () => {
    await result()
    await world.store(account, { refresh_token: simulator.login('SIM001') })
    const away = world.failNext('notifier.notify', { times: 'all' })
    await result()
    away.stop()
    await world.store(account, { refresh_token: 'sim.spent.refresh.token' })
    later(40)
    expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'login_needed'])
  })

  test('a token that somebody else stored is proven and ends the incident without a renewal', async () => {
    await result()
    const login = simulator.login('SIM001')
    await world.store(account, { refresh_token: login })
    await result()
    const stored = (await world.stored(account, 'access_token')) as string
    await world.store(account, { access_token: stored })
    const exchanges = simulator.exchanges
    expect(await result()).toMatchObject({ outcome: 'refreshed', reason: expect.stringContaining('live') })
    expect(simulator.exchanges).toBe(exchanges)
  })
})
