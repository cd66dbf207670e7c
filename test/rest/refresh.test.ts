import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { changed } from '../../lib/model/account-state.ts'
import { SCOPES } from '../../lib/model/api-key.ts'
import { FYERS_APP, RestWorld } from './support/rest-world.ts'

let world: RestWorld
let acc1: AccountId
let key: string

const refresh = (body: unknown = {}, using = key) => world.post('/accounts/ACC1/refresh', using, body)
const probes = () => world.upstoxServer.count('/v2/user/profile')
const renewals = () => world.serviceServer.seen.length

beforeEach(async () => {
  world = await RestWorld.open()
  ;[acc1] = await world.upstoxAccounts()
  key = await world.key(['token', 'refresh'])
  world.clock.advance({ minutes: 2 })
})
afterEach(() => world.close())

describe('a report that the broker refused a token', () => {
  test('R2.5 R2.7 brings a new one, with everything a consumer needs to go on', async () => {
    world.upstox.killAccessToken('SIM001')
    const { status, body, headers } = await refresh({ generation: 1 })
    expect(status).toBe(200)
    expect(body).toEqual({
      success: true,
      outcome: 'refreshed',
      reason: expect.any(String),
      next_action: expect.any(String),
      account_id: 'ACC1',
      account: 'upstox/ACC1',
      user_id: 'SIM001',
      access_token: await world.stored(acc1, 'access_token'),
      token_type: 'Bearer',
      authorization: `Bearer ${await world.stored(acc1, 'access_token')}`,
      client_id: null,
      session: null,
      live: true,
      unproven_since: null,
      generation: 2,
      version: 2,
      issued_at: '2026-11-23T08:02:00+05:30',
      expires_at: '2026-11-24T03:30:00+05:30',
      expires_in: 70_080,
    })
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('is looked into and no more where the token is live', async () => {
    const before = renewals()
    expect((await refresh({ generation: 1 })).body).toMatchObject({
      outcome: 'fresh',
      generation: 1,
      live: true,
    })
    expect(renewals()).toBe(before)
  })

  test('may name the vault’s version instead', async () => {
    world.upstox.killAccessToken('SIM001')
    expect((await refresh({ version: 1 })).body).toMatchObject({ outcome: 'refreshed', version: 2 })
  })

  test.each([{ generation: 0 }, { generation: 99 }, { version: 99 }])(
    'about another token than the present one, %j, is answered with the present one and costs no call',
    async (report) => {
      world.upstox.killAccessToken('SIM001')
      const before = [probes(), renewals()]
      expect((await refresh(report)).body).toMatchObject({ outcome: 'fresh', generation: 1 })
      expect([probes(), renewals()]).toEqual(before)
    },
  )

  test('without a word about which is about the present one: consumers of a token service know no generation', async () => {
    world.upstox.killAccessToken('SIM001')
    for (const asking of [
      { key },
      { key, body: {} },
      { key, headers: { 'content-type': 'application/json' } },
    ]) {
      const { status, body } = await world.ask('POST', '/accounts/ACC1/refresh', asking)
      expect(status).toBe(200)
      expect(body).toMatchObject({ generation: 2 })
      world.clock.advance({ minutes: 2 })
    }
  })

  test('R2.7 500 at the same moment cause one renewal, and all are answered with it', async () => {
    world.upstox.killAccessToken('SIM001')
    const before = renewals()
    const all = await Promise.all(Array.from({ length: 500 }, () => refresh({ generation: 1 })))
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(all.map(({ body }) => body['generation']))).toEqual(new Set([2]))
    expect(renewals() - before).toBeLessThanOrEqual(2)
    expect(await world.record(acc1)).toMatchObject({ generation: 2 })
  })

  test('cannot make the broker be asked more than once a minute, however often it is made', async () => {
    const before = probes()
    for (let second = 0; second < 59; second++) {
      expect((await refresh({ generation: 1 })).status).toBe(200)
      world.clock.advance({ seconds: 1 })
    }
    expect(probes() - before).toBe(1)
  })

  test('waits for the run that holds the account, and is answered with what that brought', async () => {
    const state = await world.record(acc1)
    const lease = { owner: 'another', until: world.clock.now().add({ minutes: 5 }) }
    const held = changed(state, { lease })
    await world.ports.states.replace(held)
    world.upstox.killAccessToken('SIM001')
    // The other run publishes while we look: each look lets a moment of the virtual clock pass.
    let looks = 0
    const { states } = world.ports
    const get: typeof states.get = async (account) => {
      if (account === acc1 && ++looks === 5) {
        await world.store(acc1, { access_token: world.upstox.accessTokenFor('SIM001') })
        const published = { ...state.accessToken, version: 2, provenAt: world.clock.now() } as never
        await states.replace(changed(held, { lease: undefined, generation: 2, accessToken: published }))
      }
      return states.get(account)
    }
    world.ports = { ...world.ports, states: { ...states, get } }
    world.mount()
    expect((await refresh({ generation: 1 })).body).toMatchObject({
      outcome: 'fresh',
      generation: 2,
      live: true,
    })
  })

  test('is 503 with a short time to wait while another run takes its time', async () => {
    const lease = { owner: 'another', until: world.clock.now().add({ minutes: 30 }) }
    await world.change(acc1, { lease })
    const { status, body, headers } = await refresh({ generation: 1 })
    expect({ status, code: body['code'] }).toEqual({ status: 503, code: 'busy' })
    expect(headers.get('retry-after')).toBe('2')
  })
})

describe('a renewal that cannot be', () => {
  beforeEach(async () => {
    await world.account('fyers', { client_id: FYERS_APP.clientId, client_secret: FYERS_APP.secret })
    await world.run(fyers)
  })

  test('is 409 while a person must log in, with who can help and how', async () => {
    const asked = await world.post('/accounts/fyers/refresh', key)
    expect(asked.status).toBe(409)
    expect(asked.body).toMatchObject({
      code: 'awaiting_login',
      type: 'urn:tokenkeeper:problem:awaiting_login',
      outcome: 'awaiting_login',
      success: false,
      fix: expect.stringContaining('log in at FYERS'),
    })
  })

  test('stays 409 for the many who ask, and is not hidden behind a limit', async () => {
    for (let times = 0; times < 30; times++) {
      expect((await world.post('/accounts/fyers/refresh', key)).status).toBe(409)
    }
  })

  test('is 503 while the token service is away, and 429 while it wants to be left alone', async () => {
    world.upstox.killAccessToken('SIM001')
    for (let tries = 0; tries < 20; tries++) {
      world.serviceServer.failNext('/', { kind: 'reply', status: 502, body: '<html>' })
    }
    const away = await refresh({ generation: 1 })
    expect(away).toMatchObject({ status: 503, body: { code: 'broker_unavailable' } })
    expect(away.headers.get('retry-after')).toBeTruthy()
  })
})

describe('a key', () => {
  test('with the scope refresh alone is told how it went, and nothing that opens anything', async () => {
    world.upstox.killAccessToken('SIM001')
    const { status, body, text } = await refresh({ generation: 1 }, await world.key(['refresh']))
    expect(status).toBe(200)
    expect(body).toMatchObject({ outcome: 'refreshed', generation: 2 })
    expect(body).not.toHaveProperty('access_token')
    expect(text).not.toContain(await world.stored(acc1, 'access_token'))
  })

  test('without the scope admin may not force, whatever else it may', async () => {
    const without = await world.key(SCOPES.filter((scope) => scope !== 'admin'))
    const before = renewals()
    for (const path of [
      '/accounts/ACC1/refresh',
      '/api/integration/tokens/refresh-all',
      '/api/integration/tokens/refresh/ACC1',
    ]) {
      expect(await world.post(path, without, { force: true })).toMatchObject({
        status: 403,
        body: { code: 'insufficient_scope', detail: expect.stringContaining('admin') },
      })
    }
    expect(renewals()).toBe(before)
  })

  test('with admin forces a renewal of a live token', async () => {
    const admin = await world.key(['refresh', 'admin'])
    expect((await refresh({ force: true }, admin)).body).toMatchObject({
      outcome: 'refreshed',
      generation: 2,
    })
  })

  test('with admin but without refresh forces nothing', async () => {
    expect((await refresh({ force: true }, await world.key(['admin']))).status).toBe(403)
  })
})

describe('limits', () => {
  test('hold back the seventh run of an account within a minute, and say for how long', async () => {
    const admin = await world.key()
    const forced = async () => {
      const asked = await refresh({ force: true }, admin)
      world.clock.advance({ seconds: 1 })
      return asked
    }
    for (let times = 0; times < 6; times++) expect((await forced()).status).not.toBe(429)
    const asked = await forced()
    expect(asked).toMatchObject({ status: 429, body: { code: 'too_many_requests' } })
    expect(Number(asked.headers.get('retry-after'))).toBe(54)
    // Another account is not held back by this one's.
    expect((await world.post('/accounts/ACC2/refresh', admin, { force: true })).status).toBe(200)
    world.clock.advance({ seconds: 60 })
    expect((await forced()).status).not.toBe(429)
  })

  test('never let the broker see more attempts than the login budget on record allows', async () => {
    const admin = await world.key()
    const posts = () => world.serviceServer.seen.filter(({ method }) => method === 'POST').length
    const before = posts()
    for (let second = 0; second < 60; second += 5) {
      await refresh({ force: true }, admin)
      world.clock.advance({ seconds: 5 })
    }
    expect(posts() - before).toBeLessThanOrEqual(2)
  })

  test('hold back the third run over everything within a minute', async () => {
    const all = () => world.post('/api/integration/tokens/refresh-all', key)
    expect([(await all()).status, (await all()).status, (await all()).status]).toEqual([200, 200, 429])
    expect((await world.post('/api/integration/tokens/refresh-all', await world.key())).status).toBe(200)
  })
})
