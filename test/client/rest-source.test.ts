import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClient, restSource, type TokenkeeperClient } from '../../lib/client/index.ts'
import { type LocalServer, startLocalServer } from '../../lib/local/local-server.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { changed } from '../../lib/model/account-state.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { FYERS_APP, RestWorld } from '../rest/support/rest-world.ts'
import { startApi } from './support/api-server.ts'

let world: RestWorld
let server: LocalServer
let key: string
const clients: TokenkeeperClient[] = []

/** A program of its own with this key. */
function program(apiKey: string, account = 'upstox/ACC1', hosts = world.ports.hosts): TokenkeeperClient {
  const client = createClient({
    source: restSource({ url: server.url, apiKey, account }),
    hosts,
    clock: world.clock,
    random: () => 0.5,
  })
  clients.push(client)
  return client
}

beforeEach(async () => {
  world = await RestWorld.open()
  await world.upstoxAccounts()
  server = await startLocalServer(world.app, 0)
  key = await world.key(['token', 'refresh'])
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await server.close()
  await world.close()
})

describe('the REST interface', () => {
  test('R2.5 gives the published token with expiry, generation and header', async () => {
    const token = await program(key).getToken({ until: 'close' })
    const stored = await world.stored(token.account, 'access_token')
    expect(token).toMatchObject({ account: 'upstox/ACC1', broker: 'upstox', generation: 1, version: 1 })
    expect(token.accessToken.reveal()).toBe(stored)
    expect(token.authorization?.reveal()).toBe(`Bearer ${stored}`)
    expect(token.expiresAt?.toString({ timeZone: 'Asia/Kolkata' })).toBe('2026-11-24T03:30:00+05:30')
  })

  test('gives what FYERS wants in its header, and the broker takes it', async () => {
    await world.fyersAccount()
    const reply = await program(key, 'fyers').fetch('/api/v3/profile')
    expect(await reply.json()).toMatchObject({ s: 'ok' })
  })

  test('gives companions as one secret', async () => {
    const client = program(key)
    const { account } = await client.getToken()
    await world.store(account, { session: JSON.stringify({ api_server: 'https://api01.example.invalid/' }) })
    const { session } = await client.lookForNewToken()
    expect(JSON.parse(session?.reveal() ?? '')).toEqual({ api_server: 'https://api01.example.invalid/' })
  })

  test('R2.7 is told of a refused token: one renewal, and the call succeeds', async () => {
    const client = program(key)
    await client.getToken()
    world.clock.advance({ minutes: 2 })
    world.upstox.killAccessToken('SIM001')
    const reply = await client.fetch('/v2/user/profile')
    expect(await reply.json()).toMatchObject({ status: 'success', data: { user_id: 'SIM001' } })
    expect(await client.getToken()).toMatchObject({ generation: 2 })
  })

  test('R2.7 by 500 programs at the same moment: one renewal, and every program succeeds', async () => {
    let dead: string | undefined
    const ok = { status: 200, body: 'ok' }
    // The simulated Upstox throttles as the real one does; this API refuses the dead token and nothing else.
    const api = await startApi(({ headers }) => (headers.authorization === dead ? { status: 401 } : ok))
    const programs = Array.from({ length: 500 }, () =>
      program(key, 'upstox/ACC1', { UPSTOX_API: api.origin }),
    )
    const tokens = await Promise.all(programs.map((client) => client.getToken()))
    world.clock.advance({ minutes: 2 })
    world.upstox.killAccessToken('SIM001')
    dead = tokens[0]?.authorization?.reveal()
    const replies = await Promise.all(
      programs.map((client) => client.fetch('/v2/orders', { method: 'POST' })),
    )
    expect(replies.map(({ status }) => status)).toEqual(programs.map(() => 200))
    expect((await world.record('upstox/ACC1' as AccountId)).generation).toBe(2)
    expect(world.serviceServer.seen.filter(({ method }) => method === 'POST')).toHaveLength(1)
    await api.close()
  })

  test('R2.7 is told of an older token: it gives the present one, and does not even look at the broker', async () => {
    const late = program(key)
    await late.getToken()
    world.clock.advance({ minutes: 2 })
    world.upstox.killAccessToken('SIM001')
    await program(key).fetch('/v2/user/profile')
    world.clock.advance({ minutes: 2 })
    const before = world.upstoxServer.seen.length
    expect((await late.fetch('/v2/user/profile')).status).toBe(200)
    // The late program's own two calls, and no look of the keeper's.
    expect(world.upstoxServer.seen.length).toBe(before + 2)
  })

  test('R4.2 renews by force for a key that may', async () => {
    const admin = program(await world.key(['token', 'refresh', 'admin']))
    await admin.getToken()
    world.clock.advance({ minutes: 2 })
    expect((await admin.refreshToken()).generation).toBe(2)
    await expect(program(key).refreshToken()).rejects.toMatchObject({
      code: 'insufficient_scope',
      actor: 'operator',
    })
  })

  test('serves a key that may read only as long as the token lives', async () => {
    const reader = program(await world.key(['token']))
    expect((await reader.getToken()).generation).toBe(1)
    expect((await reader.ensureValidToken(24 * 60)).generation).toBe(1)
    await expect(reader.getToken({ minValidFor: '1d' })).rejects.toMatchObject({ code: 'too_short' })
  })

  test('I9 gives a key that may only read no token the broker has refused, and one in doubt with the doubt', async () => {
    const account = 'upstox/ACC1' as AccountId
    const change = async (changes: Parameters<typeof changed>[1]): Promise<void> => {
      await world.change(account, changes)
    }
    const readOnly = await world.key(['token'])
    await program(readOnly).getToken()
    await change({ doubt: { since: world.clock.now(), by: 'login' } })
    expect(await program(readOnly).ensureValidToken()).toMatchObject({
      live: false,
      unprovenSince: expect.anything(),
    })
    await change({ doubt: undefined, refusedVersion: 1 })
    for (const ask of ['getToken', 'ensureValidToken'] as const) {
      await expect(program(readOnly)[ask]()).rejects.toMatchObject({ code: 'insufficient_scope' })
    }
    world.clock.advance({ minutes: 2 })
    // A key that may has it renewed before a program meets the refusal.
    expect((await program(key).getToken()).generation).toBe(2)
  })

  test('of version 0.1, which does not say what is live, is believed', async () => {
    const expires_at = world.clock.now().add({ hours: 5 }).toString()
    const old = await startApi(() => ({
      status: 200,
      body: JSON.stringify({ access_token: 'SIMULATED', expires_at }),
    }))
    const source = restSource({ url: old.origin, apiKey: key, account: 'upstox/ACC1' })
    const client = createClient({ source, clock: world.clock })
    expect((await client.ensureValidToken()).live).toBeUndefined()
    await client.close()
    await old.close()
  })

  test('is read again by a key that may renew but not read', async () => {
    await expect(program(await world.key(['refresh'])).getToken()).rejects.toMatchObject({
      code: 'insufficient_scope',
    })
  })

  test('says who must act: a person, or whoever keeps the keys and accounts', async () => {
    await expect(program('tk_unknown_key').getToken()).rejects.toMatchObject({
      code: 'key_unknown',
      actor: 'operator',
    })
    await expect(program(key, 'upstox/NOBODY').getToken()).rejects.toMatchObject({
      code: 'unknown_account',
      actor: 'operator',
    })
    await world.account('fyers', { client_id: FYERS_APP.clientId, client_secret: FYERS_APP.secret })
    await expect(program(key, 'fyers').getToken()).rejects.toMatchObject({
      code: 'awaiting_login',
      actor: 'person',
    })
  })

  test('that pauses an account keeps handing out its live token', async () => {
    const client = program(key)
    const { account } = await client.getToken()
    await world.change(account, { paused: { since: world.clock.now() } })
    expect((await client.lookForNewToken()).generation).toBe(1)
  })

  test('that is away is told as such, with its address and without the key', async () => {
    await server.close()
    const error = await program(key)
      .getToken()
      .catch((thrown: unknown) => thrown as Error)
    expect(error).toMatchObject({ code: 'unreachable', actor: 'wait' })
    expect(JSON.stringify(error) + String(error)).not.toContain(key)
    server = await startLocalServer(world.app, 0)
  })
})

describe('something else at the address of the REST interface', () => {
  const against = async (
    reply: { status: number; headers?: Record<string, string>; body?: string },
    apiKey = 'CANARY-api-key-0123',
  ): Promise<unknown> => {
    const other = await startApi(() => reply)
    const client = createClient({
      source: restSource({ url: `${other.origin}/prefix/`, apiKey, account: 'upstox/ACC1' }),
      clock: world.clock,
    })
    const result = await client.getToken().catch((error: unknown) => error)
    expect(other.received[0]?.path).toBe('/prefix/accounts/upstox/ACC1/token')
    await client.close()
    await other.close()
    return result
  }

  test.each([
    [{ status: 200, body: '<html>' }, 'response_unexpected'],
    [{ status: 200, body: '{"access_token":7}' }, 'response_unexpected'],
    [{ status: 200, body: '{}' }, 'response_unexpected'],
    [{ status: 302, headers: { location: 'https://example.invalid' } }, 'response_unexpected'],
    [{ status: 401, body: 'no' }, 'unauthenticated'],
    [{ status: 404 }, 'unknown_account'],
    [{ status: 500, body: 'Oops' }, 'response_unexpected'],
    [{ status: 502, body: '<html>' }, 'unreachable'],
    [{ status: 429, headers: { 'retry-after': '60' } }, 'too_many_requests'],
  ])('%o is told as %s', async (reply, code) => {
    expect(await against(reply)).toMatchObject({ code })
  })

  test('that repeats our key is not repeated by us', async () => {
    const body = JSON.stringify({ code: 'internal', detail: 'you sent CANARY-api-key-0123' })
    const error = await against({ status: 500, body })
    expect(error).toMatchObject({ code: 'internal' })
    expect(String(error)).toContain('[secret]')
    expect(String(error)).not.toContain('CANARY')
  })

  test('a token service of the older contract will do: the header and the life are worked out here', async () => {
    const body = JSON.stringify({
      account_id: 'ACC1',
      access_token: 'sim.access.jwt',
      expires_at: '2026-11-24T03:30:00',
      token_type: 'Bearer',
    })
    const token = await against({ status: 200, body })
    expect(token).toMatchObject({ account: 'upstox/ACC1' })
    const { authorization, expiresAt } = token as Awaited<ReturnType<TokenkeeperClient['getToken']>>
    expect(authorization?.reveal()).toBe('Bearer sim.access.jwt')
    expect(expiresAt?.toString({ timeZone: 'Asia/Kolkata' })).toBe('2026-11-24T03:30:00+05:30')
  })

  test('over plain http is not spoken to, unless it is on the list', () => {
    const options = { url: 'http://keeper.lan', apiKey: 'CANARY-api-key-0123', account: 'fyers' }
    expect(() => restSource(options)).toThrow(ConfigurationError)
    expect(restSource({ ...options, allowHttpHosts: ['keeper.lan'] }).account).toBe('fyers')
    expect(() => restSource({ ...options, url: 'nonsense' })).toThrow(ConfigurationError)
    expect(() => restSource({ ...options, url: server.url, account: 'nobody' })).toThrow(ConfigurationError)
  })
})
