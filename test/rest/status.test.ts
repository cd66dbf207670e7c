import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { fingerprint } from '../../lib/model/secrets/fingerprint.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { VERSION } from '../../lib/model/version.ts'
import type { TokenService } from '../../lib/ports/token-service.ts'
import { tokenService } from '../../lib/tokens/service/token-service.ts'
import { RestWorld } from './support/rest-world.ts'

let world: RestWorld
let key: string

beforeEach(async () => {
  world = await RestWorld.open()
  key = await world.key()
})
afterEach(() => world.close())

describe('health', () => {
  test('R2.1 tells how many tokens are there and the time, and no account’s name', async () => {
    await world.account('upstox/ACC1', {})
    await world.account('upstox/MISSING', {})
    await world.account('iifl/ELSEWHERE', {}, { managedBy: 'external' })
    await world.run(upstox)
    const { status, body, text } = await world.get('/health')
    expect(status).toBe(200)
    expect(body).toEqual({
      status: 'ok',
      tokens: 'partial',
      accounts: { total: 2, live: 1, expired: 0, unproven: 0, missing: 1, awaiting_login: 0 },
      version: VERSION,
      time: '2026-11-23T08:00:00+05:30',
    })
    expect(text).not.toMatch(/ACC|MISSING|ELSEWHERE|SIM001/)
  })

  test.each([
    ['none', [], false],
    ['unavailable', ['upstox/ACC1'], false],
    ['available', ['upstox/ACC1'], true],
  ] as const)('R2.1 has the word %s', async (word, accounts, ran) => {
    for (const account of accounts) await world.account(account, {})
    if (ran) await world.run(upstox)
    expect((await world.get('/health')).body).toMatchObject({ tokens: word })
  })

  test('needs no key, and is not disturbed by one that is no good', async () => {
    expect((await world.get('/health', 'nonsense')).status).toBe(200)
  })

  test('R2.6 is well while no token is, and not while the store is away', async () => {
    world.failNext('states.list', { times: 'all' })
    world.mount()
    expect(await world.get('/health')).toMatchObject({ status: 503, body: { code: 'state', fix: 'wait' } })
  })
})

describe('the status of an account', () => {
  test('R1.7 R2.2 has its expiry, source and fingerprint, and never its token', async () => {
    const account = await world.account('upstox/ACC1', {})
    await world.run(upstox)
    const token = (await world.stored(account, 'access_token')) as string
    world.clock.advance({ seconds: 5 })
    for (const path of [
      '/token/status',
      '/accounts/ACC1/token/status',
      '/accounts/upstox/ACC1/token/status',
    ]) {
      const { status, body, text, headers } = await world.get(path, key)
      expect(status).toBe(200)
      expect(body).toEqual({
        account_id: 'ACC1',
        account: 'upstox/ACC1',
        state: 'fresh',
        live: true,
        unproven_since: null,
        summary: 'live',
        expires_at: '2026-11-24T03:30:00+05:30',
        expires_in: 70_195,
        expiry_decided_by: "the token's own exp",
        issued_at: '2026-11-23T08:00:00+05:30',
        last_validated_at: '2026-11-23T08:00:00+05:30',
        source: 'upstream',
        generation: 1,
        fingerprint: createHash('sha256').update(token).digest('hex').slice(0, 16),
        next_action: expect.any(String),
        login_helps_from: null,
        last_error: null,
      })
      expect(text).not.toContain(token.slice(0, 20))
      expect(headers.get('cache-control')).toBe('no-store')
    }
  })

  test('is not live once its token has died, was removed, or before it came', async () => {
    const account = await world.account('upstox/ACC1', {})
    const status = async () => (await world.get('/token/status', key)).body
    expect(await status()).toMatchObject({
      state: 'missing',
      live: false,
      expires_at: null,
      expires_in: null,
    })
    await world.run(upstox)
    await world.ports.vault.remove(account, 'access_token')
    expect(await status()).toMatchObject({ live: false, fingerprint: null })
    world.clock.set('2026-11-24T03:29:30+05:30')
    expect(await status()).toMatchObject({ state: 'expired', live: false, expires_in: 30 })
  })

  test('I9 says since when a token is unproven after something was sent that may have ended it', async () => {
    const account = await world.account('upstox/ACC1', {})
    await world.run(upstox)
    const state = await world.ports.states.get(account)
    if (!state) throw new Error('it is registered')
    const doubt = { since: world.clock.now().add({ minutes: 1 }), by: 'login' } as const
    await world.change(account, { doubt })
    world.clock.advance({ minutes: 2 })
    expect((await world.get('/token/status', key)).body).toMatchObject({
      state: 'unproven',
      live: false,
      unproven_since: '2026-11-23T08:01:00+05:30',
      summary: 'token unproven since Mon 23 Nov 08:01 IST',
    })
    expect((await world.get('/health')).body).toMatchObject({
      tokens: 'unavailable',
      accounts: { live: 0, unproven: 1, expired: 0 },
    })
    // A proof on request settles it.
    const validator = await world.key(['status', 'validate'])
    expect((await world.get('/token/validate', validator)).body).toMatchObject({ valid: true })
    expect((await world.get('/token/status', validator)).body).toMatchObject({
      live: true,
      unproven_since: null,
    })
  })

  test('tells what went wrong last and who can mend it', async () => {
    await world.account('upstox/ACC1', {})
    world.serviceServer.failNext('/', { kind: 'reply', status: 403, body: 'no' })
    await world.run(upstox)
    expect((await world.get('/token/status', key)).body).toMatchObject({
      state: 'failed',
      last_error: {
        code: 'client_rejected',
        at: '2026-11-23T08:00:00+05:30',
        fix: expect.stringContaining('setup'),
      },
    })
  })

  test('in a list of many accounts costs no read of each token, and names one only where it is asked for', async () => {
    for (let number = 1; number <= 21; number++) await world.account(`upstox/ACC${number}`, {})
    let reads = 0
    const tokens: TokenService = {
      ...tokenService({ brokers: world.brokers, ports: world.ports }),
      async readToken() {
        reads += 1
        return { accessToken: new Secret('SIM-TOKEN-OF-A-LIST'), version: 1 }
      },
    }
    world.mount({ tokens })
    const { status, body } = await world.get('/token/status', key)
    expect(status).toBe(200)
    expect(body).toMatchObject({ fingerprint: fingerprint(new Secret('SIM-TOKEN-OF-A-LIST')) })
    expect(body['accounts']).toHaveLength(21)
    expect(body['accounts']).toMatchObject(Array.from({ length: 21 }, () => ({ fingerprint: null })))
    expect(reads).toBe(1)
  })

  test('in a short list reads each token once', async () => {
    await world.upstoxAccounts()
    let reads = 0
    const tokens = tokenService({ brokers: world.brokers, ports: world.ports })
    const readToken: TokenService['readToken'] = (account) => {
      reads += 1
      return tokens.readToken(account)
    }
    world.mount({ tokens: { ...tokens, readToken } })
    const { body } = await world.get('/token/status', key)
    const fingerprints = expect.stringMatching(/^[0-9a-f]{16}$/)
    expect(body['accounts']).toMatchObject([{ fingerprint: fingerprints }, { fingerprint: fingerprints }])
    expect(reads).toBe(2)
  })

  test('R2.2 several accounts: the first of Upstox stands for all, and a list follows', async () => {
    await world.account('iifl/A', {})
    await world.account('upstox/ACC1', {})
    expect((await world.get('/token/status', key)).body).toMatchObject({
      account_id: 'ACC1',
      accounts: [{ account: 'iifl/A' }, { account: 'upstox/ACC1' }],
    })
  })

  test('is found by a bare name where that is clear, Upstox’s first', async () => {
    const account = async (id: string) =>
      (await world.get(`/accounts/${id}/token/status`, key)).body['account']
    await world.account('iifl/SAME', {})
    expect(await account('SAME')).toBe('iifl/SAME')
    await world.account('fyers/SAME', {})
    expect(await account('SAME')).toBeUndefined()
    await world.account('upstox/SAME', {})
    expect(await account('SAME')).toBe('upstox/SAME')
    expect(await account('iifl%2FSAME')).toBe('iifl/SAME')
    expect(await account('iifl/SAME')).toBe('iifl/SAME')
  })

  test('of nobody is 404, and so is any in an empty installation', async () => {
    expect(await world.get('/token/status', key)).toMatchObject({
      status: 404,
      body: { code: 'no_accounts' },
    })
    expect(await world.get('/accounts/NOBODY/token/status', key)).toMatchObject({
      status: 404,
      body: { code: 'unknown_account' },
    })
  })

  test('by HEAD is its headers alone', async () => {
    await world.upstoxAccounts()
    const head = await world.ask('HEAD', '/token/status', { key })
    expect(head).toMatchObject({ status: 200, text: '' })
  })
})
