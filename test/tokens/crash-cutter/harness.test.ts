import { describe, expect, test } from 'vitest'
import { type AccountState, newAccountState } from '../../../lib/model/account-state.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
import { stateStoreContract } from '../../contracts/state-store-contract.ts'
import { tokenVaultContract } from '../../contracts/token-vault-contract.ts'
import { CutWorld } from './cut-world.ts'
import { GRANTS, type Kind, ROTATING, runsWith } from './grant-scenarios.ts'
import { memoryStates, memoryVault } from './memory-stores.ts'
import { cutbroker } from './one-session-broker.ts'
import { USER } from './one-session-simulator.ts'
import { cutEverywhere, type Trouble } from './play.ts'
import { Process } from './process.ts'
import type { Scenario } from './scenario.ts'

tokenVaultContract('the memory vault', async () => {
  const { clock } = new CutWorld()
  return { vault: memoryVault(clock), now: () => clock.now() }
})
stateStoreContract('the memory store', async () => memoryStates())

describe('a process that is killed', () => {
  const effects: string[] = []
  /** Ports of which each call says that it happened, some of them none there is today. */
  const ports = {
    vault: { read: async () => effects.push('read') },
    states: {
      async *list() {
        effects.push('first item')
        yield 1
        effects.push('second item')
        yield 2
      },
    },
    telemetry: { info: () => void effects.push('info') },
    subscribers: [{ name: 'a mirror', published: async () => effects.push('published') }],
    somethingNew: { happens: async () => effects.push('new') },
    hosts: { API: 'https://api.invalid' },
  }
  type Fakes = typeof ports

  const killed = async (process: Process, work: (ports: Fakes) => Promise<unknown>): Promise<string> => {
    effects.length = 0
    const outcome = work(process.ports(ports as unknown as Ports) as unknown as Fakes)
    return Promise.race([outcome.then(() => 'returned'), process.died.then(() => 'died')])
  }
  const everything = async (given: Fakes): Promise<void> => {
    await given.vault.read()
    for await (const _ of given.states.list()) given.telemetry.info()
    await given.subscribers[0]?.published()
    await given.somethingNew.happens()
  }
  const CALLS = [
    'vault.read',
    'states.list',
    'states.list.next',
    'telemetry.info',
    'states.list.next',
    'telemetry.info',
    'states.list.next',
    'subscribers.0.published',
    'somethingNew.happens',
  ]

  test('makes its calls at ports nobody has listed, and leaves alone what is no call', async () => {
    const process = new Process()
    expect(await killed(process, everything)).toBe('returned')
    expect(process.calls).toEqual(CALLS)
    expect(process.ports(ports as unknown as Ports).hosts).toEqual(ports.hosts)
  })

  const whole = ['read', 'first item', 'info', 'second item', 'info', 'published', 'new']
  test.each([
    [1, 'before', 0],
    [1, 'after', 1],
    [2, 'after', 1],
    [3, 'before', 1],
    [3, 'after', 2],
    [4, 'before', 2],
    [4, 'after', 3],
    [8, 'before', 5],
    [9, 'after', 7],
  ] as const)('at call %i dies %s it: %i things have happened', async (call, when, happened) => {
    const process = new Process({ call, when })
    expect(await killed(process, everything)).toBe('died')
    await new Promise(setImmediate)
    expect(effects).toEqual(whole.slice(0, happened))
    expect(process.isAlive).toBe(false)
  })

  test('gets no answer to what was under way', async () => {
    const process = new Process({ call: 2, when: 'before' })
    let answered = false
    await killed(process, async (given) => {
      const underWay = given.vault.read().then(() => {
        answered = true
      })
      await Promise.all([underWay, given.somethingNew.happens()])
    })
    await new Promise(setImmediate)
    expect([answered, effects]).toEqual([false, ['read']])
  })
})

describe('the harness notices', () => {
  const [first, due] = runsWith(ROTATING) as [Scenario, Scenario]
  const [, dueByPassword] = runsWith(GRANTS[2] as Kind) as [Scenario, Scenario]
  const NOTHING: Trouble = { title: 'nothing else' }
  const LOST: Trouble = { title: 'the reply is lost', faults: { of: ['lost_reply'] } }
  const UNPROVEN: Trouble = {
    title: 'no proof works',
    faults: { path: '/me', of: Array(12).fill('fault_before') },
  }
  const REFUSED: Trouble = { title: 'the broker refuses', faults: { of: ['refused'] } }

  /** Records in which these fields are always as they were at first. */
  const forgetting =
    (...fields: readonly (keyof AccountState)[]) =>
    (ports: Ports): Ports => {
      const forgotten = (next: AccountState): AccountState => {
        const fresh = newAccountState(next.account)
        const kept = Object.entries({ ...next, ...fresh }).map(([field]) => {
          const name = field as keyof AccountState
          return [name, fields.includes(name) ? fresh[name] : next[name]] as const
        })
        return Object.fromEntries(kept.filter(([, value]) => value !== undefined)) as unknown as AccountState
      }
      return {
        ...ports,
        states: { ...ports.states, replace: (next) => ports.states.replace(forgotten(next)) },
      }
    }
  const losingRefreshTokens = (ports: Ports): Ports => ({
    ...ports,
    vault: {
      ...ports.vault,
      write: async (id, name, value, options) => {
        if (name !== 'refresh_token') return ports.vault.write(id, name, value, options)
        const { version = 0 } = (await ports.vault.read(id, [name])).get(name) ?? {}
        return { version }
      },
    },
  })
  const losingKept = (ports: Ports): Ports => ({
    ...ports,
    vault: {
      ...ports.vault,
      write: async (id, name, ...rest) => {
        const written = await ports.vault.write(id, name, ...rest)
        if (name === 'pending') await ports.vault.remove(id, name)
        return written
      },
    },
  })
  const withBroker = (broker: Partial<Broker>): Scenario => ({
    ...first,
    broker: { ...cutbroker, ...broker },
  })
  const credulous = withBroker({ prove: async () => ({ userId: USER }) })
  const talkative = withBroker({
    prove: async (context, token) => ({
      ...(await cutbroker.prove(context, token)),
      clientName: token.reveal(),
    }),
  })
  const sleepy = withBroker({
    prove: async (context, token) => {
      await context.clock.sleep(3_600_000)
      return cutbroker.prove(context, token)
    },
  })

  test.each<[promise: string, what: string, Scenario, Trouble]>([
    ['I1', 'a refresh token that is not stored', { ...due, sabotage: losingRefreshTokens }, NOTHING],
    ['I2', 'a token that is published without a proof', credulous, NOTHING],
    ['I3', 'a renewal without a lease', { ...due, sabotage: forgetting('lease') }, NOTHING],
    ['I4', 'a lost reply nobody notes', { ...due, sabotage: forgetting('ambiguous') }, LOST],
    ['I5', 'an incident nobody remembers', { ...due, sabotage: forgetting('incident') }, REFUSED],
    ['I6', 'a secret in a record', talkative, NOTHING],
    [
      'I7',
      'a wrong password that is sent again',
      { ...dueByPassword, sabotage: forgetting('blocks', 'unconfirmed') },
      REFUSED,
    ],
    ['I8', 'a sleep past the end of the process', sleepy, NOTHING],
    [
      'I9',
      'a token that is called live although nobody knows',
      { ...due, sabotage: forgetting('doubt') },
      LOST,
    ],
    ['I10', 'a kept token nobody remembers', { ...due, sabotage: forgetting('pending', 'doubt') }, UNPROVEN],
    ['I10', 'a kept token that is removed too early', { ...due, sabotage: losingKept }, UNPROVEN],
  ])('%s: %s', async (promise, _, scenario, trouble) => {
    const { violations } = await cutEverywhere(scenario, trouble)
    expect(violations.map((violation) => /I\d+/.exec(violation)?.[0])).toContain(promise)
  })
})
