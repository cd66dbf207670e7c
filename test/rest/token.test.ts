import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { iiflXts } from '../../lib/brokers/iifl-xts/iifl-xts.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { zerodha } from '../../lib/brokers/zerodha/zerodha.ts'
import { type AccountId, parseAccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { StoredSecrets } from '../../lib/ports/token-vault.ts'
import { authorizationOf, authorizationScheme } from '../../lib/tokens/service/read-published.ts'
import { FYERS_APP, RestWorld } from './support/rest-world.ts'

let world: RestWorld
let acc1: AccountId
let key: string

beforeEach(async () => {
  world = await RestWorld.open()
  ;[acc1] = await world.upstoxAccounts()
  key = await world.key(['token'])
})
afterEach(() => world.close())

describe('the access token', () => {
  test('R2.5 is given whole, with generation, expiry and the header the broker wants, and is not to be kept', async () => {
    const token = await world.stored(acc1, 'access_token')
    world.clock.advance({ seconds: 5 })
    for (const path of [
      '/accounts/ACC1/token',
      '/accounts/upstox/ACC1/token',
      '/accounts/upstox%2FACC1/token',
    ]) {
      const given = await world.get(path, key)
      expect(given.status).toBe(200)
      expect(given.body).toEqual({
        account_id: 'ACC1',
        account: 'upstox/ACC1',
        user_id: 'SIM001',
        access_token: token,
        token_type: 'Bearer',
        authorization: `Bearer ${token}`,
        client_id: null,
        session: null,
        live: true,
        unproven_since: null,
        generation: 1,
        version: 1,
        issued_at: '2026-11-23T08:00:00+05:30',
        expires_at: '2026-11-24T03:30:00+05:30',
        expires_in: 70_195,
      })
      expect(given.headers.get('cache-control')).toBe('no-store')
      expect(given.headers.get('etag')).toBeNull()
    }
  })

  test('of FYERS comes with the app id, in the header form FYERS wants', async () => {
    const account = await world.fyersAccount()
    const token = await world.stored(account, 'access_token')
    expect((await world.get('/accounts/fyers/token', key)).body).toMatchObject({
      account: 'fyers',
      client_id: FYERS_APP.clientId,
      token_type: null,
      authorization: `${FYERS_APP.clientId}:${token}`,
    })
  })

  test('comes with its companions, and never with another name of the vault', async () => {
    await world.store(acc1, {
      session: JSON.stringify({ api_server: 'https://api01.example.invalid/', n: [1] }),
      refresh_token: 'CANARY-refresh-token',
      client_secret: 'CANARY-client-secret',
    })
    const read: string[][] = []
    const { vault } = world.ports
    const watched = {
      ...vault,
      read: async (account: AccountId, names: readonly never[]): Promise<StoredSecrets> => {
        read.push([...names])
        return vault.read(account, names)
      },
    }
    world.ports = { ...world.ports, vault: watched }
    world.mount()
    const given = await world.get('/accounts/ACC1/token', key)
    expect(given.body['session']).toEqual({ api_server: 'https://api01.example.invalid/', n: [1] })
    expect(given.text).not.toContain('CANARY')
    expect(read).toEqual([['access_token', 'session']])
  })

  test.each(['not JSON', '[1]', '"text"', 'null'])('companions that are %s are left out', async (session) => {
    await world.store(acc1, { session })
    expect((await world.get('/accounts/ACC1/token', key)).body['session']).toBeNull()
  })

  test('that has died is given as it is, and said to be dead', async () => {
    world.clock.set('2026-11-24T03:31:00+05:30')
    expect((await world.get('/accounts/ACC1/token', key)).body).toMatchObject({ live: false, expires_in: 0 })
  })

  test('that somebody stored by hand has no expiry anybody could vouch for', async () => {
    await world.store(acc1, { access_token: 'stored-by-hand-0123' })
    expect((await world.get('/accounts/ACC1/token', key)).body).toMatchObject({
      access_token: 'stored-by-hand-0123',
      live: false,
      expires_at: null,
      generation: 1,
      version: 2,
    })
  })

  test('that is not there yet is 503 with a time to wait, and 409 where a person has to log in first', async () => {
    await world.account('upstox/NEW', {})
    const none = await world.get('/accounts/NEW/token', key)
    expect(none).toMatchObject({ status: 503, body: { code: 'no_token' } })
    expect(none.headers.get('retry-after')).toBeTruthy()
    await world.account('fyers', { client_id: FYERS_APP.clientId, client_secret: FYERS_APP.secret })
    await world.run(fyers)
    expect(await world.get('/accounts/fyers/token', key)).toMatchObject({
      status: 409,
      body: { code: 'awaiting_login' },
    })
  })

  test('R2.10 is on record as handed out: to which key, by which request, and nothing of the token', async () => {
    const token = (await world.stored(acc1, 'access_token')) as string
    await world.ask('GET', '/accounts/ACC1/token', { key, headers: { 'x-request-id': 'request-1' } })
    const line = world.logs.find(({ message }) => message === 'an access token was handed out')
    expect(line?.fields).toEqual({ account: acc1, key: key.split('_')[1], request: 'request-1' })
    expect(world.said()).not.toContain(token)
    expect(world.said()).not.toContain(key)
  })

  test('a vault that still shows the older token is read again', async () => {
    const newer = await world.ports.vault.read(acc1, ['access_token'])
    const token = newer.get('access_token') as NonNullable<ReturnType<typeof newer.get>>
    const older = new Map([
      ['access_token' as const, { ...token, version: 0, value: new Secret('older-token-0') }],
    ])
    const answers = [older, older, newer]
    world.ports = {
      ...world.ports,
      vault: { ...world.ports.vault, read: async () => answers.shift() ?? newer },
    }
    world.mount()
    expect((await world.get('/accounts/ACC1/token', key)).body).toMatchObject({
      access_token: token.value.reveal(),
      version: 1,
    })
  })
})

describe('the header a broker wants', () => {
  const published = { accessToken: new Secret('TOKEN-$&-x'), version: 1, clientId: new Secret('APP-$1') }

  test.each([
    [upstox, 'Bearer TOKEN-$&-x', 'Bearer'],
    [fyers, 'APP-$1:TOKEN-$&-x', null],
    [zerodha, 'token APP-$1:TOKEN-$&-x', 'token'],
    [iiflXts, 'TOKEN-$&-x', null],
  ] as const satisfies readonly (readonly [Broker, string, string | null])[])(
    'of $id is as its own proof sends it',
    (broker, header, scheme) => {
      expect(authorizationOf(broker, published)).toBe(header)
      expect(authorizationScheme(broker)).toBe(scheme)
    },
  )

  test('that names the app is not made up while its id is not stored', () => {
    const { clientId: _, ...without } = published
    expect(authorizationOf(fyers, without)).toBeUndefined()
    expect(authorizationOf(upstox, without)).toBe('Bearer TOKEN-$&-x')
  })
})

test('an account id in the form of a path leads nowhere', async () => {
  expect(() => parseAccountId('upstox/..')).toThrow()
  expect((await world.get('/accounts/upstox/../token', key)).status).toBe(404)
  expect((await world.get('/accounts/upstox/%2e%2e/token', key)).status).toBe(404)
})
