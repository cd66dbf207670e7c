import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { holdNext } from '../support/held-request.ts'
import { RestWorld } from './support/rest-world.ts'

const ACC1 = parseAccountId('upstox/ACC1')

let world: RestWorld
let key: string

beforeEach(async () => {
  world = await RestWorld.open()
  key = await world.key()
})
afterEach(() => world.close())

describe('a live validation', () => {
  const probes = () => world.upstoxServer.count('/v2/user/profile')
  const validate = async (path = '/token/validate') => (await world.get(path, key)).body

  beforeEach(async () => {
    await world.upstoxAccounts()
    world.clock.advance({ minutes: 2 })
  })

  test('R2.3 asks the broker, notes the proof, and says whose token it is', async () => {
    const before = probes()
    for (const path of ['/token/validate', '/accounts/ACC2/token/validate']) {
      expect(await validate(path)).toEqual({
        account_id: path === '/token/validate' ? 'ACC1' : 'ACC2',
        account: path === '/token/validate' ? 'upstox/ACC1' : 'upstox/ACC2',
        valid: true,
        checked_at: '2026-11-23T08:02:00+05:30',
        user_id: path === '/token/validate' ? 'SIM001' : 'SIM002',
        error: null,
      })
    }
    expect(probes()).toBe(before + 2)
    expect((await world.get('/token/status', key)).body).toMatchObject({
      last_validated_at: '2026-11-23T08:02:00+05:30',
      generation: 1,
    })
  })

  test('R2.3 asks the broker once a minute, however many ask and at the same time', async () => {
    const before = probes()
    const all = await Promise.all(Array.from({ length: 50 }, () => validate()))
    expect(new Set(all.map((body) => JSON.stringify(body))).size).toBe(1)
    world.clock.advance({ seconds: 59 })
    expect(await validate()).toMatchObject({ checked_at: '2026-11-23T08:02:00+05:30' })
    expect(probes()).toBe(before + 1)
    world.clock.advance({ seconds: 1 })
    expect(await validate()).toMatchObject({ checked_at: '2026-11-23T08:03:00+05:30' })
    expect(probes()).toBe(before + 2)
  })

  test('R2.3 of a dead token says so, renews nothing and asks nobody to log in', async () => {
    world.upstox.killAccessToken('SIM001')
    const refreshes = world.serviceServer.seen.length
    const before = await world.record(ACC1)
    expect(await validate()).toMatchObject({
      valid: false,
      checked_at: '2026-11-23T08:02:00+05:30',
      error: { code: 'grant_rejected', reason: expect.any(String), fix: expect.any(String) },
    })
    const asked = probes()
    expect(await validate()).toMatchObject({ valid: false })
    expect(probes()).toBe(asked)
    expect(world.serviceServer.seen.length).toBe(refreshes)
    expect(world.alerts).toEqual([])
    const after = await world.record(ACC1)
    expect(after).toMatchObject({ generation: 1, attempts: before.attempts, refusedVersion: 1 })
    const { body } = await world.get('/token/status', key)
    expect(body).toMatchObject({ state: 'expired', live: false })
  })

  test('a refusal is what makes the next run renew, without asking the broker again', async () => {
    world.upstox.killAccessToken('SIM001')
    await validate()
    const { report } = await world.run(upstox, { accounts: [ACC1] })
    expect(report.results).toMatchObject([{ outcome: 'refreshed' }])
    expect(await validate()).toMatchObject({ valid: true })
  })

  test('where no token is stored is not valid, and no broker is asked', async () => {
    await world.account('upstox/NEW', {})
    const before = probes()
    expect(await validate('/accounts/NEW/token/validate')).toMatchObject({
      valid: false,
      user_id: null,
      error: { code: 'no_token' },
    })
    expect(probes()).toBe(before)
  })

  test('of another user’s token says so', async () => {
    await world.store(ACC1, { access_token: world.upstox.accessTokenFor('SIM002') })
    expect(await validate()).toMatchObject({ valid: false, error: { code: 'wrong_account' } })
  })

  test('of a token somebody stored by hand counts it as published', async () => {
    await world.store(ACC1, { access_token: world.upstox.accessTokenFor('SIM001') })
    expect(await validate()).toMatchObject({ valid: true })
    expect(await world.record(ACC1)).toMatchObject({
      generation: 2,
      accessToken: { source: 'found' },
    })
  })

  test('of a paused account changes nothing on record', async () => {
    const state = await world.record(ACC1)
    await world.change(ACC1, { paused: { since: world.clock.now() } })
    expect(await validate()).toMatchObject({ valid: true })
    world.clock.advance({ minutes: 2 })
    world.upstox.killAccessToken('SIM001')
    expect(await validate()).toMatchObject({ valid: false })
    expect((await world.record(ACC1)).revision).toBe(state.revision + 1)
  })

  test('while the broker is away is 503 with a time to wait, and no verdict', async () => {
    for (let tries = 0; tries < 4; tries++) {
      world.upstoxServer.failNext('/v2/user/profile', { kind: 'reply', status: 503, body: 'down' })
    }
    const asked = await world.get('/token/validate', key)
    expect(asked).toMatchObject({ status: 503, body: { code: 'broker_unavailable' } })
    expect(Number(asked.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await world.record(ACC1)).refusedVersion).toBeUndefined()
  })

  test('while the broker throttles is 429, and leaves the broker alone as long as it wants', async () => {
    const headers = { 'retry-after': '300' }
    world.upstoxServer.failNext('/v2/user/profile', { kind: 'reply', status: 429, body: '', headers })
    const first = await world.get('/token/validate', key)
    expect(first).toMatchObject({ status: 429, body: { code: 'rate_limited' } })
    const before = probes()
    world.clock.advance({ seconds: 100 })
    const second = await world.get('/token/validate', key)
    expect(second.status).toBe(429)
    expect(second.headers.get('retry-after')).toBe('200')
    expect(probes()).toBe(before)
  })

  test('R2.3 that ends without a verdict asks the broker once a minute too, and repeats why', async () => {
    const refused = { kind: 'reply', status: 403, body: '{}' } as const
    for (let tries = 0; tries < 3; tries++) world.upstoxServer.failNext('/v2/user/profile', refused)
    const ask = () => world.get('/token/validate', key)
    const before = probes()
    const first = await ask()
    expect(first.status).toBe(502)
    for (let second = 1; second < 60; second++) {
      world.clock.advance({ seconds: 1 })
      const { status, body } = await ask()
      expect({ status, code: body['code'], detail: body['detail'] }).toEqual({
        status: 502,
        code: first.body['code'],
        detail: first.body['detail'],
      })
    }
    expect(probes()).toBe(before + 1)
    world.clock.advance({ seconds: 1 })
    await ask()
    expect(probes()).toBe(before + 2)
  })

  test('that found the broker away says how long its answer holds, less every second', async () => {
    for (let tries = 0; tries < 4; tries++) {
      world.upstoxServer.failNext('/v2/user/profile', { kind: 'reply', status: 503, body: 'down' })
    }
    const wait = async () => (await world.get('/token/validate', key)).headers.get('retry-after')
    expect(await wait()).toBe('60')
    const before = probes()
    world.clock.advance({ seconds: 45 })
    expect(await wait()).toBe('15')
    expect(probes()).toBe(before)
  })

  test('that failed says nothing of the token published after it', async () => {
    world.upstoxServer.failNext('/v2/user/profile', { kind: 'reply', status: 403, body: '{}' })
    expect((await world.get('/token/validate', key)).status).toBe(502)
    await world.run(upstox, { accounts: [ACC1], force: true })
    expect(await validate()).toMatchObject({ valid: true })
  })

  test('a verdict that comes after the token was replaced is not noted against the new one', async () => {
    const proof = holdNext(world.upstoxServer, '/v2/user/profile')
    world.upstox.killAccessToken('SIM001')
    const validating = validate()
    await proof.arrived
    await world.change(ACC1, { generation: 2 })
    proof.release()
    await validating
    expect((await world.record(ACC1)).refusedVersion).toBeUndefined()
  })
})
