import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import { posConnector } from '../../../lib/brokers/pos-connector/pos-connector.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import {
  AmbiguousError,
  BrokerUnavailableError,
  ClientRejectedError,
  HumanActionError,
  RateLimitedError,
} from '../../../lib/model/errors.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { BrokerContext, Renewal } from '../../../lib/ports/broker/broker-context.ts'
import { countedSecrets } from '../../../lib/tokens/rules/grants/lockout.ts'
import { World } from '../../support/world.ts'

const FATES = ['lost', 'fault', 'killed', 'wrong', 'throttled', 'app', 'before', 'right'] as const
type Fate = (typeof FATES)[number]

/** A broker that locks after `lockAfter` wrong passwords, and tells of what it does only what `fate` lets through. */
class LockingBroker {
  fate: Fate = 'lost'
  right = 'SIMULATED-right'
  /** Wrong ones in a row, as the broker counts them. */
  wrong = 0
  sent = 0
  readonly broker: Broker
  #minted = 0

  constructor(lockAfter: number) {
    this.broker = {
      id: 'locking',
      displayName: 'Locking',
      hosts: {},
      credentials: [{ name: 'password', label: 'password', hidden: true, required: true, lockAfter }],
      sessions: 'one',
      session: {
        timeZone: 'Asia/Kolkata',
        accessToken: { earliestOf: [], otherwise: { kind: 'hours', hours: 1 } },
      },
      grants: [
        {
          kind: 'credentials',
          needs: ['password'],
          budget: { minimumGapSeconds: 1 },
          repeatsAfterAmbiguity: 'budget',
          renew: (context) => this.#logIn(context),
        },
      ],
      prove: async () => ({ userId: 'SIM001' }),
      pacingSeconds: 0,
      concurrency: 1,
      schedule: { expressions: ['rate(15 minutes)'], timeZone: 'UTC' },
    }
  }

  async #logIn(context: BrokerContext): Promise<Renewal> {
    if (this.fate === 'before') throw new BrokerUnavailableError('a step before the password')
    const password = context.secret('password').reveal()
    if (this.fate === 'throttled') throw new RateLimitedError('wait', { retryAfterSeconds: 1 })
    if (this.fate === 'app') throw new ClientRejectedError('the app')
    this.sent += 1
    const isRight = password === this.right
    this.wrong = isRight ? 0 : this.wrong + 1
    if (this.fate === 'lost') throw new AmbiguousError('no reply')
    if (this.fate === 'fault') throw new BrokerUnavailableError('502')
    if (this.fate === 'killed') return new Promise<never>(() => undefined)
    if (!isRight) throw new HumanActionError('wrong', { problem: 'wrong_secret' })
    this.#minted += 1
    return {
      accessToken: new Secret(`SIMULATED-access-token-${this.#minted}`),
      sentAt: context.clock.now(),
    }
  }
}

test.each([
  ['iifl', iifl, [['password', 1]]],
  ['fyers', fyers, [['pin', 3]]],
  ['pos-connector', posConnector, []],
])('%s says how many tries of unknown fate are allowed', (_id, broker: Broker, expected) => {
  const all = broker.grants.flatMap((grant) => [...countedSecrets(broker, grant)])
  expect(all).toEqual(expected)
})

test('I7 whatever happens to the replies, a wrong password never comes within two tries of a lock-out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(2, 3, 4, 5, 6),
      fc.array(fc.tuple(fc.constantFrom(...FATES), fc.boolean()), { minLength: 1, maxLength: 12 }),
      async (lockAfter, story) => {
        const world = new World()
        const locking = new LockingBroker(lockAfter)
        const account: AccountId = await world.account('locking', { password: 'SIMULATED-wrong' })
        for (const [fate, force] of story) {
          locking.fate = fate
          const run = world.run(locking.broker, { force })
          await (fate === 'killed' ? settledOrSent(run, locking) : run)
          expect(locking.wrong).toBeLessThanOrEqual(Math.max(1, lockAfter - 2))
          // The lease of a killed run, and every wait, are over by then.
          world.clock.advance({ minutes: 10 })
        }
        // Another value is another count, and a right one starts everything anew.
        await world.store(account, { password: locking.right })
        locking.fate = 'right'
        expect((await world.run(locking.broker)).report.results).toMatchObject([{ outcome: 'refreshed' }])
        expect((await world.ports.states.get(account))?.unconfirmed).toBeUndefined()
        await world.close()
      },
    ),
    { numRuns: 60 },
  )
}, 60_000)

/** A killed run never ends: it is over when its password was sent, or when it did not get that far. */
async function settledOrSent(run: Promise<unknown>, locking: LockingBroker): Promise<void> {
  const before = locking.sent
  let ended = false
  void run.then(() => {
    ended = true
  })
  while (!ended && locking.sent === before) await new Promise((resolve) => setImmediate(resolve))
}

test('three throttled attempts and three on a step before the password use up no day', async () => {
  const world = new World()
  const locking = new LockingBroker(3)
  const [grant] = locking.broker.grants
  if (!grant) throw new Error('it has one')
  const strict: Broker = {
    ...locking.broker,
    grants: [{ ...grant, budget: { perDay: 3, minimumGapSeconds: 1 } }],
  }
  const account = await world.account('locking', { password: locking.right })
  for (const fate of ['throttled', 'before'] as const) {
    locking.fate = fate
    for (let i = 0; i < 3; i++) {
      await world.run(strict)
      world.clock.advance({ minutes: 5 })
    }
  }
  expect((await world.ports.states.get(account))?.attempts).toEqual([])
  locking.fate = 'right'
  expect((await world.run(strict)).report.results).toMatchObject([{ outcome: 'refreshed' }])
  await world.close()
})

test('what the broker has accepted is no longer counted, whatever becomes of the login', async () => {
  const world = new World()
  const locking = new LockingBroker(3)
  const [grant] = locking.broker.grants
  if (!grant) throw new Error('it has one')
  const renew = async (context: BrokerContext): Promise<Renewal> => {
    context.secret('password')
    context.accepted('password')
    throw new AmbiguousError('the second step gave no reply')
  }
  const account = await world.account('locking', { password: locking.right })
  const stepwise: Broker = { ...locking.broker, grants: [{ ...grant, renew }] }
  for (let i = 0; i < 4; i++) {
    expect((await world.run(stepwise)).report.results).toMatchObject([{ outcome: 'ambiguous' }])
    world.clock.advance({ minutes: 5 })
  }
  expect((await world.ports.states.get(account))?.unconfirmed).toBeUndefined()
  await world.close()
})
