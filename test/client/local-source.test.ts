import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import {
  createClient,
  localSource,
  openLocalSource,
  type TokenkeeperClient,
  type TokenSource,
} from '../../lib/client/index.ts'
import { openDatabase } from '../../lib/local/database.ts'
import { sqliteStateStore } from '../../lib/local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../../lib/local/sqlite-token-vault.ts'
import { vaultKey } from '../../lib/local/vault-key.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { changed, newAccountState } from '../../lib/model/account-state.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import { FyersSimulator } from '../../lib/simulators/fyers/fyers-simulator.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { RotaWorld } from '../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../support/rotating-broker.ts'

let world: RotaWorld
let simulator: RotabrokerSimulator
let server: SimulatorServer
let account: AccountId
let source: TokenSource
let client: TokenkeeperClient

beforeEach(async () => {
  world = await RotaWorld.open()
  ;({ simulator, server } = world)
  account = await world.rotaAccount()
  source = localSource({ account, ports: world.ports, brokers: [rotabroker] })
  client = createClient({ source, clock: world.clock })
})
afterEach(async () => {
  await client.close()
  await world.close()
})

/** What the owner of the account can do to it. */
async function change(changes: Parameters<typeof changed>[1]): Promise<void> {
  await world.change(account, changes)
}

describe('a token that something may have ended', () => {
  const doubted = (): Promise<void> => change({ doubt: { since: world.clock.now(), by: 'login' } })

  beforeEach(async () => {
    await world.run(rotabroker)
    world.clock.advance({ minutes: 1 })
    await doubted()
    world.clock.advance({ minutes: 1 })
  })

  test('I9 is told with the doubt on it by the source', async () => {
    expect((await source.read()).unprovenSince?.toString()).toBe('2026-11-23T01:31:00Z')
  })

  test('is proven before a program gets it, and then costs no further call', async () => {
    const proofs = simulator.proofs
    expect((await client.getToken()).unprovenSince).toBeUndefined()
    expect(simulator.proofs).toBe(proofs + 1)
    await client.getToken()
    expect(simulator.proofs).toBe(proofs + 1)
    expect(simulator.exchanges).toBe(1)
  })

  test('is renewed before a program gets it when the broker has ended it', async () => {
    simulator.killAccessTokens()
    const { accessToken } = await client.getToken()
    expect(simulator.exchanges).toBe(2)
    expect(accessToken.reveal()).toBe(await world.stored(account, 'access_token'))
  })

  test('is handed out by nothing once the broker has refused it, however often a program asks', async () => {
    simulator.killAccessTokens()
    simulator.revokeAll()
    const awaiting = { code: 'awaiting_login', actor: 'person' }
    await expect(client.getToken()).rejects.toMatchObject(awaiting)
    await expect(client.ensureValidToken()).rejects.toMatchObject(awaiting)
    world.clock.advance({ minutes: 1 })
    expect(await source.read()).toMatchObject({ live: false })
    await expect(client.getToken()).rejects.toMatchObject(awaiting)
    await expect(client.ensureValidToken()).rejects.toMatchObject(awaiting)
    expect(simulator.exchanges).toBe(1)
  })

  test('is not handed out either where the broker refuses it and then lets nobody renew it', async () => {
    simulator.killAccessTokens()
    const throttled = { status: 429, headers: { 'retry-after': '600' }, body: '{}' }
    server.failNext('/token', { kind: 'reply', ...throttled })
    await expect(client.getToken()).rejects.toMatchObject({ code: 'rate_limited', actor: 'wait' })
    await expect(client.ensureValidToken()).rejects.toMatchObject({ code: 'rate_limited' })
  })
})

describe('the stores of this machine', () => {
  test('give the published token with its expiry, generation and user', async () => {
    await world.run(rotabroker)
    expect(await client.getToken({ minValidFor: '29m' })).toMatchObject({
      account: 'rotabroker',
      broker: 'rotabroker',
      generation: 1,
      version: 1,
      userId: 'SIM001',
    })
    expect((await client.getToken()).accessToken.reveal()).toBe(await world.stored(account, 'access_token'))
  })

  test('have a token made where there is none yet', async () => {
    expect(await client.getToken()).toMatchObject({ generation: 1 })
    expect(simulator.exchanges).toBe(1)
  })

  test('give a token somebody stored by hand without an expiry, and have it proven when it must last', async () => {
    await world.store(account, { access_token: simulator.openFamily('SIM001').access })
    expect((await client.getToken()).expiresAt).toBeUndefined()
    expect((await client.getToken({ minValidFor: '10m' })).expiresAt).toBeDefined()
    expect(simulator.exchanges).toBe(0)
  })

  test('R4.2 renew by force', async () => {
    await client.getToken()
    world.clock.advance({ minutes: 1 })
    expect((await client.refreshToken()).generation).toBe(2)
    expect(simulator.exchanges).toBe(2)
  })

  test('say that an account is paused, and leave its live token in use', async () => {
    await client.getToken()
    await change({ paused: { since: world.clock.now() } })
    expect((await client.getToken()).generation).toBe(1)
    await expect(client.refreshToken()).rejects.toMatchObject({ code: 'paused', actor: 'operator' })
  })

  test('say that an account is managed elsewhere', async () => {
    await client.getToken()
    await change({ settings: { managedBy: 'external' } })
    await expect(client.refreshToken()).rejects.toMatchObject({ code: 'managed_elsewhere' })
  })

  test('say that a person must log in', async () => {
    await client.getToken()
    await world.ports.vault.remove(account, 'refresh_token')
    world.clock.advance({ hours: 1 })
    await expect(client.getToken()).rejects.toMatchObject({
      code: 'awaiting_login',
      actor: 'person',
      account,
    })
  })

  test('say that an account is not set up', async () => {
    const stranger = localSource({ account: 'rotabroker/NOBODY', ports: world.ports, brokers: [rotabroker] })
    await expect(stranger.read()).rejects.toMatchObject({
      code: 'no_token',
      fix: 'run tokenkeeper setup rotabroker/NOBODY',
    })
  })

  test('are asked about known brokers only', () => {
    expect(() => localSource({ account: 'nobody', ports: world.ports })).toThrow(ConfigurationError)
    expect(() => localSource({ account: 'a/../b', ports: world.ports })).toThrow(ConfigurationError)
  })

  test('while another process renews the account, are waited for and its token is taken', async () => {
    await client.getToken()
    await change({ lease: { owner: 'another', until: world.clock.now().add({ minutes: 5 }) } })
    const before = await world.ports.states.get(account)
    const sleep = world.clock.sleep.bind(world.clock)
    let naps = 0
    world.clock.sleep = async (milliseconds) => {
      await sleep(milliseconds)
      if (++naps !== 60) return
      const { version } = await world.ports.vault.write(account, 'access_token', new Secret('of-another-run'))
      const { accessToken, generation = 0 } = before ?? {}
      await change({
        lease: undefined,
        generation: generation + 1,
        ...(accessToken && {
          accessToken: { ...accessToken, version, issuedAt: world.clock.now().add({ seconds: 1 }) },
        }),
      })
    }
    const token = await source.renew({ force: true })
    expect(token?.accessToken.reveal()).toBe('of-another-run')
    expect(simulator.exchanges).toBe(1)
  })

  test('while another process holds the account for too long, are busy', async () => {
    await client.getToken()
    await change({ lease: { owner: 'another', until: world.clock.now().add({ minutes: 50 }) } })
    await expect(client.refreshToken()).rejects.toMatchObject({ code: 'busy', actor: 'wait' })
  })

  test('between publication and record, are read again until both agree', async () => {
    await client.getToken()
    await change({ lease: { owner: 'another', until: world.clock.now().add({ minutes: 5 }) } })
    const state = await world.ports.states.get(account)
    const { version } = await world.ports.vault.write(account, 'access_token', new Secret('just-published'))
    const sleep = world.clock.sleep.bind(world.clock)
    world.clock.sleep = async (milliseconds) => {
      await sleep(milliseconds)
      const record = state?.accessToken
      await change({
        lease: undefined,
        generation: 2,
        ...(record && { accessToken: { ...record, version } }),
      })
    }
    expect(await source.read()).toMatchObject({ generation: 2, version, expiresAt: expect.anything() })
  })
})

describe('R2.7 calls with a token that has died', () => {
  beforeEach(async () => {
    await client.getToken()
    world.clock.advance({ minutes: 5 })
    simulator.killAccessTokens()
  })

  test('500 at the same moment: one renewal at the broker, and every call succeeds', async () => {
    const replies = await Promise.all(Array.from({ length: 500 }, () => client.fetch('/me')))
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 500 }, () => 200))
    expect(simulator.exchanges).toBe(2)
    expect(simulator.reuses).toBe(0)
  })

  test('500 programs of one account at the same moment: one renewal, and every call succeeds', async () => {
    // A virtual clock jumps when anybody sleeps, 500 times as far for 500 sleepers: these wait in real time.
    const clock: Clock = {
      now: () => world.clock.now(),
      // biome-ignore lint/plugin: this is a clock
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds / 10)),
    }
    const ports = { ...world.ports, clock }
    const programs = Array.from({ length: 500 }, () =>
      createClient({ source: localSource({ account, ports, brokers: [rotabroker] }), clock }),
    )
    await Promise.all(programs.map((program) => program.getToken()))
    const replies = await Promise.all(programs.map((program) => program.fetch('/me')))
    expect(replies.filter(({ status }) => status !== 200)).toHaveLength(0)
    expect(simulator.exchanges).toBe(2)
    expect(simulator.reuses).toBe(0)
    await Promise.all(programs.map((program) => program.close()))
  })

  test('one after the other: the first one’s report is enough for all', async () => {
    for (let call = 0; call < 20; call++) expect((await client.fetch('/me')).status).toBe(200)
    expect(simulator.exchanges).toBe(2)
  })

  test('a program that still has an older token gets the newer one, without another renewal', async () => {
    const late = createClient({
      source: localSource({ account, ports: world.ports, brokers: [rotabroker] }),
      clock: world.clock,
    })
    await late.getToken()
    await client.fetch('/me')
    expect((await late.fetch('/me')).status).toBe(200)
    expect(simulator.exchanges).toBe(2)
    await late.close()
  })
})

describe('a call that is refused for another reason than its token', () => {
  test('renews nothing, and is the caller’s', async () => {
    await client.getToken()
    world.clock.advance({ minutes: 5 })
    for (let call = 0; call < 20; call++) {
      server.failNext('/order', { kind: 'reply', status: 401, body: '{"error":"not_yours"}' })
      const reply = await client.fetch('/order', { method: 'POST', json: {} })
      expect([reply.status, await reply.text()]).toEqual([401, '{"error":"not_yours"}'])
    }
    expect(simulator.exchanges).toBe(1)
    // One look of the keeper at the broker, and none for the reports that followed.
    expect(simulator.proofs).toBe(2)
  })
})

describe('a folder of tokenkeeper', () => {
  const home = mkdtempSync(join(tmpdir(), 'tokenkeeper-client-'))
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  test('is opened, used with the owner’s settings, and closed', async () => {
    const app = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
    const user = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }
    const broker = new FyersSimulator(world.clock, app, [user])
    const { origin } = await world.serve(broker)
    const store = openDatabase(join(home, 'store.db'))
    const vault = sqliteTokenVault(store, vaultKey(join(home, 'vault.key')), world.clock)
    await sqliteStateStore(store).replace(changed(newAccountState(fyers.id as AccountId), {}))
    for (const [name, value] of [
      ['client_id', app.clientId],
      ['client_secret', app.secret],
      ['pin', user.pin],
      ['refresh_token', broker.refreshTokenFor(user.fyId, 1)],
    ] as const) {
      await vault.write(fyers.id as AccountId, name, new Secret(value))
    }
    store.close()
    const printed: string[] = []
    const opened = await openLocalSource({
      account: 'fyers',
      home,
      clock: world.clock,
      print: (text) => void printed.push(text),
      config: { brokers: { fyers: { hosts: { FYERS_API: origin } } } },
    })
    const program = createClient({ source: opened, clock: world.clock })
    const reply = await program.fetch('/api/v3/profile')
    expect(await reply.json()).toMatchObject({ s: 'ok', data: { fy_id: user.fyId } })
    await program.close()
    expect(printed).toEqual([])
  })

  test('that is not there is an operator’s matter, and is not made', async () => {
    await expect(openLocalSource({ account: 'fyers', home: join(home, 'none') })).rejects.toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining('tokenkeeper setup'),
    })
    // As a .env file gives it, which no shell has read.
    await expect(openLocalSource({ account: 'fyers', home: '~/none' })).rejects.toThrow(
      `nothing is set up in ${join(homedir(), 'none')}`,
    )
  })

  test('whose key is gone or whose configuration is wrong is an operator’s matter, and nothing stays open', async () => {
    openDatabase(join(home, 'store.db')).close()
    await expect(openLocalSource({ account: 'fyers', home })).rejects.toThrow('vault key')
    await expect(openLocalSource({ account: 'fyers', home, config: { brokers: 7 } })).rejects.toThrow(
      ConfigurationError,
    )
  })
})

test('a vault that cannot be opened is told as such', async () => {
  await client.getToken()
  const broken = localSource({
    account,
    brokers: [rotabroker],
    ports: { ...world.ports, vault: sqliteTokenVault(world.database, randomBytes(32), world.clock) },
  })
  const program = createClient({ source: broken, clock: world.clock })
  await expect(program.getToken()).rejects.toMatchObject({ code: 'vault_read', actor: 'operator' })
  await program.close()
})
