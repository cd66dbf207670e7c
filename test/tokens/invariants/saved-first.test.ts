import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
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

/**
 * Ports of a process that dies: after `steps` more calls to the outside, nothing it does has any effect. `dead` is
 * when it has come to that and its last calls have had theirs.
 */
function dyingPorts(ports: Ports, steps: number): { readonly ports: Ports; readonly dead: Promise<void> } {
  let left = steps
  const made: Promise<unknown>[] = []
  const { promise: dead, resolve: die } = Promise.withResolvers<void>()
  const mortal = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          if (left-- <= 0) {
            void Promise.allSettled(made).then(() => die())
            return new Promise(() => undefined)
          }
          const call = (member as (...args: unknown[]) => unknown).apply(target, args)
          made.push(Promise.resolve(call))
          return call
        }
      },
    })
  const mortals = {
    ...ports,
    vault: mortal(ports.vault),
    states: mortalStates(ports, mortal),
    notifier: mortal(ports.notifier),
    http: mortal(ports.http),
  }
  return { ports: mortals, dead }
}

/** `list` is a generator: only its calls count, its items pass. */
function mortalStates(ports: Ports, mortal: <T extends object>(port: T) => T): Ports['states'] {
  const states = mortal(ports.states)
  return {
    list: (broker) => ports.states.list(broker),
    get: (id) => states.get(id),
    replace: (next) => states.replace(next),
    remove: (id) => states.remove(id),
  }
}

describe('I1 a refresh token the broker issued is never lost by us', () => {
  test('it is written before the access token is proven or published', async () => {
    const order: string[] = []
    const { vault } = world.ports
    world.ports = {
      ...world.ports,
      vault: {
        ...vault,
        read: vault.read,
        write: async (id, name, value, options) => {
          order.push(`${name} after ${server.count('/me')} proofs`)
          return vault.write(id, name, value, options)
        },
      },
    }
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect(order).toEqual(['refresh_token after 0 proofs', 'access_token after 1 proofs'])
    expect(await world.stored(account, 'refresh_token')).toBe(simulator.currentOf('SIM001'))
  })

  test('a write that fails for a while is repeated until it lands', async () => {
    world.failNext('vault.write', { times: 20 })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect(await world.stored(account, 'refresh_token')).toBe(simulator.currentOf('SIM001'))
  })

  test('a write that fails until the deadline ends in token_lost and pages at once', async () => {
    world.failNext('vault.write', { times: 'all' })
    expect(await result()).toMatchObject({ outcome: 'failed', code: 'token_lost' })
    expect(world.alerts).toMatchObject([{ kind: 'token_lost', severity: 'page' }])
    expect(world.counts.get('rotabroker TokenLost')).toBe(1)
  })

  test('a reply without a refresh token keeps the stored one', async () => {
    const before = await world.stored(account, 'refresh_token')
    server.failNext('/token', {
      kind: 'reply',
      status: 200,
      body: '{"access_token":"sim.access.token","expires_in":1800}',
    })
    await result()
    expect(await world.stored(account, 'refresh_token')).toBe(before)
  })

  // Steps to the outside of one run: read, lease, send, save, prove, publish, record.
  test.each([0, 1, 2, 3, 4, 5, 6])(
    'a process killed after %i steps loses no grant that reached us',
    async (steps) => {
      const alive = world.ports
      const { ports, dead } = dyingPorts(alive, steps)
      world.ports = ports
      await Promise.race([dead, world.run(rotabroker, { seconds: 600 })])
      world.ports = alive
      world.clock.advance({ minutes: 11 })
      const after = await result()
      if (steps === 2 || steps === 3) {
        // The one hole nobody can close: dead between the lease and the save, the broker may have seen the grant or
        // not. A person is asked, nothing is repeated.
        expect(after).toMatchObject({ outcome: 'awaiting_login' })
        expect(simulator.reuses).toBe(0)
        return
      }
      expect(after.success).toBe(true)
      expect(simulator.reuses).toBe(0)
      expect(await world.stored(account, 'refresh_token')).toBe(simulator.currentOf('SIM001'))
      later()
      expect(await result()).toMatchObject({ outcome: 'refreshed' })
    },
  )
})
