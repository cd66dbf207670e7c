import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import { posConnector } from '../../../lib/brokers/pos-connector/pos-connector.ts'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import { zerodha } from '../../../lib/brokers/zerodha/zerodha.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import {
  type AccessTokenRecord,
  type AccountSettings,
  type AccountState,
  newAccountState,
} from '../../../lib/model/account-state.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { proveStored } from '../../../lib/tokens/refresh/publish.ts'
import { openAccount } from '../../../lib/tokens/transaction/open-account.ts'
import { type PosWorld, posWorld } from '../../support/pos-backend.ts'
import { tokenRecord } from '../../support/token-record.ts'
import { World } from '../../support/world.ts'

const HOUR_S = 3_600

describe('a token of three hours, as its reply said', () => {
  let pos: PosWorld

  beforeEach(async () => {
    pos = await posWorld({ start: '2025-07-12T10:00:00+00:00' })
    pos.simulator.behaviour.tokenLifeSeconds = 3 * HOUR_S
    expect(await pos.run()).toMatchObject({ tokenValidity: '2025-07-12T13:00:00+00:00' })
  })
  afterEach(() => pos.world.close())

  const record = async (): Promise<AccessTokenRecord | undefined> =>
    (await pos.world.ports.states.get(pos.account))?.accessToken

  test('lives no longer after a run on a clock that was slow', async () => {
    pos.world.clock.set('2025-07-12T08:00:00+00:00')
    await pos.run()
    expect(await record()).toMatchObject({ version: 1, source: 'credentials' })
    // Proven there at 08:00, which the reply's three hours are counted from: sooner than 13:00, and never later.
    expect((await record())?.expiresAt).toEqual(pos.world.at('2025-07-12T11:00:00+00:00'))
    pos.world.clock.set('2025-07-12T10:05:00+00:00')
    await pos.run()
    expect((await record())?.expiresAt).toEqual(pos.world.at('2025-07-12T11:00:00+00:00'))
  })

  test('lives three hours after a run on a clock that was a month ahead', async () => {
    pos.world.clock.set('2025-06-12T10:00:00+00:00')
    await pos.run()
    expect(await record()).toMatchObject({
      issuedAt: pos.world.at('2025-06-12T10:00:00+00:00'),
      expiresAt: pos.world.at('2025-06-12T13:00:00+00:00'),
      provenAt: pos.world.at('2025-06-12T10:00:00+00:00'),
      expiryDecidedBy: "the reply's expires_in",
    })
  })

  test('keeps both times when it is proven on the same clock', async () => {
    const before = await record()
    pos.world.clock.advance({ minutes: 5 })
    await pos.world.run(posConnector, { accounts: [pos.account], reported: { generation: 1 } })
    expect(await record()).toEqual({ ...before, provenAt: pos.world.clock.now() })
  })
})

describe('proving a stored token', () => {
  const NOW = Temporal.Instant.from('2026-11-23T08:00:00+05:30')
  let world: World
  beforeEach(() => {
    world = new World(NOW.toString())
  })
  afterEach(() => world.close())

  async function proven(
    broker: Broker,
    more: Partial<AccountState>,
    stored = { version: 3, modifiedAt: NOW.subtract({ hours: 1 }) },
  ): Promise<AccessTokenRecord> {
    const account = broker.id as AccountId
    const state: AccountState = { ...newAccountState(account), ...more }
    const secrets = new Map([['access_token' as const, { value: new Secret('SIMULATED-token'), ...stored }]])
    const deadline = NOW.add({ minutes: 1 })
    const stub = { ...broker, prove: async () => ({ userId: 'SIM001' }) }
    const changes = await proveStored(
      openAccount({ broker: stub, state, stored: secrets, deadline }, world.ports),
    )
    return changes.accessToken as AccessTokenRecord
  }

  test.each<[string, AccountSettings, number | undefined, number]>([
    ['the owner’s ceiling for the account', { maxLifetimeHours: 2 }, undefined, 2],
    ['the owner’s ceiling for the broker', {}, 5, 5],
    ['that of the account, where there are both', { maxLifetimeHours: 8 }, 5, 8],
    ['the broker’s own rules, where there is none', {}, undefined, 12],
  ])('nobody has published here, it dies by %s', async (_, settings, ofBroker, hours) => {
    const session = { ...posConnector.session, ...(ofBroker !== undefined && { maxLifetimeHours: ofBroker }) }
    const { expiresAt, issuedAt, source } = await proven({ ...posConnector, session }, { settings })
    expect(source).toBe('found')
    expect(issuedAt.until(expiresAt).total('hours')).toBe(hours)
  })

  test('never makes a known one live longer, whatever the clocks were', async () => {
    const seconds = (hours: number) => fc.integer({ min: -hours * HOUR_S, max: hours * HOUR_S })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Broker>(posConnector, upstox, fyers, zerodha, iifl),
        fc.record({
          issued: seconds(40 * 24),
          life: fc.integer({ min: 1, max: 48 * HOUR_S }),
          modified: seconds(40 * 24),
        }),
        fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        async (broker, { issued, life, modified }, maxLifetimeHours) => {
          const issuedAt = NOW.add({ seconds: issued })
          const known = tokenRecord({
            issuedAt,
            expiresAt: issuedAt.add({ seconds: life }),
            version: 3,
          })
          const settings = maxLifetimeHours === undefined ? {} : { maxLifetimeHours }
          const stored = { version: 3, modifiedAt: NOW.add({ seconds: modified }) }
          const record = await proven(broker, { accessToken: known, settings }, stored)
          expect(Temporal.Instant.compare(record.expiresAt, known.expiresAt)).toBeLessThan(1)
        },
      ),
    )
  })
})
