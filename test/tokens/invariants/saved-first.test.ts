import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
import { HTML_502 } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { holdNext } from '../../support/held-request.ts'
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

describe('I2 only a proven token of the right user is published', () => {
  test('a token that the broker does not accept is not published, the old one stays', async () => {
    await result()
    const before = await world.stored(account, 'access_token')
    later()
    simulator.accessTokenOverride = 'sim.dead.token'
    expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
    expect(await world.stored(account, 'access_token')).toBe(before)
  })

  test('a token of another user is not published, and the message shows neither id in full', async () => {
    await result()
    const before = await world.stored(account, 'access_token')
    later()
    simulator.answersAs = 'SIM999'
    expect(await result()).toMatchObject({ outcome: 'failed', code: 'wrong_account' })
    expect(await world.stored(account, 'access_token')).toBe(before)
    expect(world.said()).not.toContain('SIM999')
  })

  test.each(['', 'short', 'an error text with spaces', 'x'.repeat(9000), 'naïve-token-with-ümlauts'])(
    'an implausible token is never stored (%#)',
    async (token) => {
      await result()
      const before = await world.stored(account, 'access_token')
      later()
      simulator.accessTokenOverride = token
      expect(await result()).toMatchObject({ outcome: 'failed', code: 'response_unexpected' })
      expect(await world.stored(account, 'access_token')).toBe(before)
    },
  )

  test('a 5 kB token is published whole', async () => {
    simulator.nextAccessToken = 'x'.repeat(5000)
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect(await world.stored(account, 'access_token')).toBe(simulator.nextAccessToken)
    later()
    simulator.nextAccessToken = undefined
    simulator.companion = 'y'.repeat(5000)
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect((await world.stored(account, 'session'))?.length).toBeGreaterThan(5000)
  })
})

describe('I3 at most one renewal of an account is in flight anywhere', () => {
  test('fifty runs at once make one exchange, and every one ends well', async () => {
    const runs = await Promise.all(Array.from({ length: 50 }, () => world.run(rotabroker)))
    expect(simulator.exchanges).toBe(1)
    expect(simulator.reuses).toBe(0)
    for (const { report } of runs) expect(report.success).toBe(true)
  })

  test('a run that outlives its lease cannot overwrite what its successor recorded', async () => {
    const proof = holdNext(server, '/me')
    const slow = world.run(rotabroker, { seconds: 60 })
    await proof.arrived
    world.clock.advance({ minutes: 4 })
    const successor = await result()
    expect(successor).toMatchObject({ success: true })
    const recorded = await world.ports.states.get(account)
    proof.release()
    await slow
    expect(await world.ports.states.get(account)).toEqual(recorded)
    expect(world.logs.map(({ message }) => message)).toContain(
      'another run took over before the outcome was recorded',
    )
  })

  test('R2.10 a run that outlives its lease does not publish over its successor', async () => {
    const { http } = world.ports
    const proven = Promise.withResolvers<void>()
    const { promise: wakes, resolve: wake } = Promise.withResolvers<void>()
    const slowProof: Ports['http'] = {
      send: async (request) => {
        const reply = await http.send(request)
        if (request.url.endsWith('/me')) {
          proven.resolve()
          await wakes
        }
        return reply
      },
    }
    world.ports = { ...world.ports, http: slowProof }
    const slow = world.run(rotabroker, { seconds: 60 })
    await proven.promise
    world.ports = { ...world.ports, http }
    world.clock.advance({ minutes: 4 })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    const published = await world.stored(account, 'access_token')
    wake()
    await slow
    expect(await world.stored(account, 'access_token')).toBe(published)
  })

  test('settings changed in the middle of a run are kept', async () => {
    const proof = holdNext(server, '/me')
    const run = result()
    await proof.arrived
    await world.change(account, {
      settings: { nickname: 'Main' },
    })
    proof.release()
    expect(await run).toMatchObject({ outcome: 'refreshed' })
    expect(await world.ports.states.get(account)).toMatchObject({
      settings: { nickname: 'Main' },
      generation: 1,
    })
  })

  test('an account removed in the middle of a run stays removed', async () => {
    const proof = holdNext(server, '/me')
    const run = result()
    await proof.arrived
    await world.ports.states.remove(account)
    proof.release()
    await run
    expect(await world.ports.states.get(account)).toBeUndefined()
  })
})

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

describe('the state table is out of reach', () => {
  test('no grant is spent when the lease cannot be taken', async () => {
    world.failNext('states.replace', { times: 'all' })
    expect(await result()).toMatchObject({ outcome: 'failed', code: 'state' })
    expect(server.count('/token')).toBe(0)
  })

  test('a lease whose answer was lost is ours, not another run’s', async () => {
    world.failNext('states.replace', { after: 'landed' })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
  })

  test('a published token whose record was lost is adopted by the next run, not renewed again', async () => {
    const unreachable = world.failNext('states.replace', { skip: 1, times: 'all' })
    await world.run(rotabroker, { seconds: 60 })
    unreachable.stop()
    world.clock.advance({ minutes: 4 })
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect(simulator.exchanges).toBe(1)
  })
})
