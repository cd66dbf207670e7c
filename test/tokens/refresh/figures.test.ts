import { afterEach, beforeEach, expect, test } from 'vitest'
import { RotaWorld } from '../../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../../support/rotating-broker.ts'

let world: RotaWorld
let simulator: RotabrokerSimulator
let calls: Record<string, number>

beforeEach(async () => {
  world = await RotaWorld.open()
  ;({ simulator } = world)
  await world.rotaAccount()
  calls = {}
  const counted = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          calls[String(name)] = (calls[String(name)] ?? 0) + 1
          return (member as (...args: unknown[]) => unknown).apply(target, args)
        }
      },
    })
  world.ports = { ...world.ports, vault: counted(world.ports.vault), states: counted(world.ports.states) }
})

afterEach(() => world.close())

test('a refresh that rotates the refresh token costs one vault read and two writes, one state read and two writes', async () => {
  await world.run(rotabroker)
  expect(calls).toEqual({ list: 1, read: 1, write: 2, replace: 2 })
})

test('a refresh without rotation costs one vault write', async () => {
  await world.run({
    ...rotabroker,
    grants: rotabroker.grants.map((grant) => ({ ...grant, renew: withoutRotation(grant) })),
  })
  expect(calls).toEqual({ list: 1, read: 1, write: 1, replace: 2 })
})

test('companions cost one write more', async () => {
  simulator.companion = 'https://api07.rotabroker.invalid'
  await world.run({
    ...rotabroker,
    grants: rotabroker.grants.map((grant) => ({ ...grant, renew: withoutRotation(grant) })),
  })
  expect(calls).toEqual({ list: 1, read: 1, write: 2, replace: 2 })
})

test('a fresh account costs one vault read and one state read, and no write', async () => {
  await world.run(rotabroker)
  calls = {}
  await world.run(rotabroker)
  expect(calls).toEqual({ list: 1, read: 1 })
})

test('a refused grant costs three state writes, one of them before a person is told, and the runs after it none', async () => {
  await world.store('rotabroker' as never, { refresh_token: 'sim.spent.refresh.token' })
  calls = {}
  await world.run(rotabroker)
  expect(calls).toEqual({ list: 1, read: 1, replace: 3 })
  calls = {}
  await world.run(rotabroker)
  expect(calls).toEqual({ list: 1, read: 1 })
})

function withoutRotation(grant: (typeof rotabroker.grants)[number]): (typeof grant)['renew'] {
  return async (context) => {
    const { refreshToken: _, ...renewal } = await grant.renew(context)
    return renewal
  }
}
