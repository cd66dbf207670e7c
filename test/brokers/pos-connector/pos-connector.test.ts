import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { posConnector } from '../../../lib/brokers/pos-connector/pos-connector.ts'
import type { AccountSettings } from '../../../lib/model/account-state.ts'
import { type PosWorld, posWorld } from '../../support/pos-backend.ts'

let pos: PosWorld

beforeEach(async () => {
  pos = await posWorld()
})

afterEach(() => pos.world.close())

async function again(given: Parameters<typeof posWorld>[0]): Promise<void> {
  await pos.world.close()
  pos = await posWorld(given)
}

function withOptions(options: Record<string, string>): { settings: AccountSettings } {
  return { settings: { options } }
}

describe('R4.7 the story of a token', () => {
  test('authenticate, prove, use, come due, refresh, expire, refresh', async () => {
    expect(await pos.run()).toMatchObject({
      outcome: 'refreshed',
      userID: '7',
      clientName: 'SIM POS',
      tokenValidity: '2025-07-12T15:52:00+00:00',
    })
    const first = await pos.token()
    expect(pos.server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /api/login',
      'GET /api/user',
    ])

    pos.world.clock.advance({ hours: 1 })
    expect(await pos.run()).toMatchObject({ outcome: 'fresh' })
    expect(await pos.token()).toBe(first)

    pos.world.clock.set('2025-07-12T15:30:00+00:00')
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    const second = await pos.token()
    expect(second).not.toBe(first)

    pos.world.clock.advance({ hours: 48 })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed', reason: 'the access token has expired' })
    expect(await pos.token()).not.toBe(second)
    expect(pos.simulator.logins).toBe(3)
    expect(pos.world.alerts).toHaveLength(0)
  })

  test('R4.1 at 15:21:59Z the token is used as is, at 15:22:00Z it is renewed', async () => {
    await pos.run()
    pos.world.clock.set('2025-07-12T15:21:59+00:00')
    expect(await pos.run()).toMatchObject({ outcome: 'fresh' })
    expect(pos.simulator.logins).toBe(1)
    pos.world.clock.set('2025-07-12T15:22:00+00:00')
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.simulator.logins).toBe(2)
  })

  test('a token somebody revoked is replaced once it is found dead', async () => {
    await pos.world.store(pos.account, { access_token: pos.simulator.tokenFor('pos@example.invalid') })
    pos.simulator.revokeTokensOf('pos@example.invalid')
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.simulator.logins).toBe(1)
  })

  test('R4.5 a token of an older set-up is proven, kept and counted as live for twelve hours', async () => {
    const token = pos.simulator.tokenFor('pos@example.invalid')
    await pos.world.store(pos.account, { access_token: token })
    expect(await pos.run()).toMatchObject({
      outcome: 'refreshed',
      tokenValidity: '2025-07-12T19:52:00+00:00',
    })
    expect(await pos.token()).toBe(token)
    expect(pos.simulator.logins).toBe(0)
  })

  test('twenty runs with a dead token make one login', async () => {
    await pos.run()
    pos.world.clock.advance({ hours: 24 })
    const runs = await Promise.all(Array.from({ length: 20 }, () => pos.run()))
    expect(pos.simulator.logins).toBe(2)
    expect(runs.every(({ success }) => success)).toBe(true)
  })

  test('a login that ends older tokens leaves the published one alive', async () => {
    pos.simulator.behaviour.deletesOlderTokens = true
    await pos.run()
    pos.world.clock.set('2025-07-12T15:30:00+00:00')
    await pos.run()
    const headers = { accept: 'application/json', authorization: `Bearer ${await pos.token()}` }
    expect((await fetch(`${pos.server.origin}/api/user`, { headers })).status).toBe(200)
  })
})

describe('the login request', () => {
  test('is the body of the README byte for byte', async () => {
    await pos.run()
    expect(pos.simulator.lastLoginBodySha256).toBe(
      '64e290c214ccc1e673a7d2dc61af6d7b7ae3035fe1a4ec05efe0548f79cda723',
    )
  })

  test('names the device of the options, or none', async () => {
    await pos.run()
    const usual = pos.simulator.lastLoginBodySha256
    await again(withOptions({ deviceName: '' }))
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.simulator.lastLoginBodySha256).not.toBe(usual)
  })

  test.each(['/shop/pos', '/shop/pos/', '/shop/pos///'])(
    'goes below the path of base_url %s',
    async (path) => {
      await again({ backend: { prefix: '/shop/pos' }, path })
      expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
      expect(pos.server.seen.map((seen) => seen.path)).toEqual(['/shop/pos/api/login', '/shop/pos/api/user'])
    },
  )

  test('a trailing slash of a bare origin does not matter', async () => {
    await again({ path: '/' })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
  })

  test('takes another path from the options', async () => {
    await again({ backend: { loginPath: '/auth/token' }, ...withOptions({ 'paths.login': '/auth/token' }) })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
  })

  test('a path that is none is a configuration error before anything is sent', async () => {
    await again(withOptions({ 'paths.login': '@elsewhere.invalid/login' }))
    expect(await pos.run()).toMatchObject({
      code: 'configuration_invalid',
      reason: expect.stringContaining('paths.login'),
    })
    expect(pos.server.seen).toHaveLength(0)
  })
})

describe('a dedicated refresh route, where one is configured', () => {
  beforeEach(() =>
    again({ backend: { refreshPath: '/api/refresh' }, ...withOptions({ 'paths.refresh': '/api/refresh' }) }),
  )

  test('spares the password while the token lives', async () => {
    await pos.run()
    pos.world.clock.set('2025-07-12T15:30:00+00:00')
    expect(await pos.run()).toMatchObject({
      outcome: 'refreshed',
      tokenValidity: '2025-07-12T23:30:00+00:00',
    })
    expect(pos.simulator.logins).toBe(1)
  })

  test('makes room for a login in the same run when it refuses', async () => {
    await pos.run()
    pos.world.clock.advance({ hours: 24 })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.simulator.logins).toBe(2)
  })
})

describe('the shapes of a login reply', () => {
  test.each(['token', 'access_token', 'data'] as const)('shape %s is understood', async (shape) => {
    pos.simulator.behaviour.shape = shape
    expect(await pos.run()).toMatchObject({
      outcome: 'refreshed',
      tokenValidity: '2025-07-12T15:52:00+00:00',
    })
    expect(await pos.token()).toMatch(/^17\|[0-9a-f]{40}$/)
  })

  test.each([
    ['expires_at', '2025-07-12T15:52:00+00:00'],
    ['token_expiry', '2025-07-12T15:52:00+00:00'],
    ['expires_in', '2025-07-12T15:52:00+00:00'],
    ['null', '2025-07-12T19:52:00+00:00'],
    ['absent', '2025-07-12T19:52:00+00:00'],
  ] as const)('expiry as %s', async (expiry, tokenValidity) => {
    for (const shape of ['token', 'data'] as const) {
      await again({})
      Object.assign(pos.simulator.behaviour, { expiry, shape })
      expect(await pos.run()).toMatchObject({ outcome: 'refreshed', tokenValidity })
    }
  })

  test.each([
    [{ token: 'A', access_token: 'B', data: { token: 'C' } }, 'A'],
    [{ token: null, access_token: 'B', data: { token: 'C' } }, 'B'],
    [{ token: '', data: { access_token: 'D', token: 'C' } }, 'C'],
    [{ data: { access_token: 'D' } }, 'D'],
  ])('of several tokens the preferred one is taken: %j', async (body, preferred) => {
    const suffix = pos.simulator.tokenFor('pos@example.invalid')
    const long = JSON.stringify(body).replaceAll(/"([A-D])"/g, `"$1-${suffix}"`)
    pos.server.failNext('/api/login', { kind: 'reply', status: 200, body: long })
    pos.server.failNext('/api/user', {
      kind: 'reply',
      status: 200,
      body: '{"id":7,"email":"pos@example.invalid"}',
    })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(await pos.token()).toBe(`${preferred}-${suffix}`)
  })

  test.each([
    [{ expires_at: '2025-07-12T16:00:00Z', token_expiry: '2025-07-12T17:00:00', expires_in: 60 }, '16:00:00'],
    [{ expires_at: null, token_expiry: '2025-07-12T17:00:00', expires_in: 60 }, '17:00:00'],
    [{ expires_in: '3600', data: { expires_at: '2025-07-12T16:00:00Z' } }, '08:52:00'],
    [{ data: { token_expiry: '2025-07-12 16:00:00', expires_in: 60 } }, '16:00:00'],
    [{ token_expiry: '2025-07-12T15:52:00+05:30' }, '10:22:00'],
  ])('of several expiries the preferred one is taken: %j', async (fields, time) => {
    const body = JSON.stringify({ token: pos.simulator.tokenFor('pos@example.invalid'), ...fields })
    pos.server.failNext('/api/login', { kind: 'reply', status: 200, body })
    expect(await pos.run()).toMatchObject({ tokenValidity: `2025-07-12T${time}+00:00` })
  })

  test.each([
    ['expires_at', 'in a while'],
    ['expires_at', ''],
    ['expires_at', false],
    ['token_expiry', 20250712],
    ['expires_in', 'soon'],
    ['expires_in', ''],
    ['expires_in', 1e15],
  ])('an unreadable %s (%s) loses no token: it lives as long as the default says', async (field, value) => {
    const body = JSON.stringify({ token: pos.simulator.tokenFor('pos@example.invalid'), [field]: value })
    pos.server.failNext('/api/login', { kind: 'reply', status: 200, body })
    const result = await pos.run()
    expect(result).toMatchObject({ outcome: 'refreshed' })
    const record = await pos.world.ports.states.get(pos.account)
    expect(record?.accessToken?.expiryDecidedBy).toBe('12 h after issue')
  })

  test.each([
    [1752335520, '15:52:00'],
    ['1752335520', '15:52:00'],
    [1752335520000, '15:52:00'],
    ['2025-07-12 21:22:00 +05:30', '15:52:00'],
    ['2025-07-12T21:22:00[Asia/Kolkata]', '15:52:00'],
    ['2025-07-12 15:52:00 UTC', '15:52:00'],
    ['Sat, 12 Jul 2025 15:52:00 GMT', '15:52:00'],
    [{ date: '2025-07-12 21:22:00.000000', timezone_type: 3, timezone: 'Asia/Kolkata' }, '15:52:00'],
  ])('an expiry written as %j is the instant it names', async (expires_at, time) => {
    const body = JSON.stringify({ token: pos.simulator.tokenFor('pos@example.invalid'), expires_at })
    pos.server.failNext('/api/login', { kind: 'reply', status: 200, body })
    expect(await pos.run()).toMatchObject({ tokenValidity: `2025-07-12T${time}+00:00` })
  })

  test.each([
    [400, '{"error":"token_expired"}'],
    [200, '{"message":"Unauthenticated."}'],
    [200, '{"error":"token_invalid"}'],
  ])('a token told dead by %i %s is renewed', async (status, body) => {
    await pos.run()
    pos.world.clock.advance({ minutes: 2 })
    const logins = pos.server.count('/api/login')
    pos.server.failNext('/api/user', { kind: 'reply', status, body })
    const { generation = 0 } = (await pos.world.ports.states.get(pos.account)) ?? {}
    const { report } = await pos.world.run(posConnector, {
      accounts: [pos.account],
      reported: { generation },
    })
    expect(report.results).toMatchObject([{ outcome: 'refreshed' }])
    expect(pos.server.count('/api/login')).toBe(logins + 1)
  })

  test('the user call may answer under data', async () => {
    pos.simulator.behaviour.userUnderData = true
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed', userID: '7', clientName: 'SIM POS' })
  })
})

describe('timestamps without a zone', () => {
  beforeEach(() => {
    pos.simulator.behaviour.expiry = 'token_expiry'
  })
  afterEach(() => vi.unstubAllEnvs())

  test.each(['America/New_York', 'Asia/Kolkata'])('do not follow a host that runs in %s', async (zone) => {
    vi.stubEnv('TZ', zone)
    expect(new Date('2025-07-12T15:52:00').toISOString()).not.toBe('2025-07-12T15:52:00.000Z')
    expect(await pos.run()).toMatchObject({ tokenValidity: '2025-07-12T15:52:00+00:00' })
  })

  test('are read in the zone of the options: a wrong zone is an error of 19,800 s', async () => {
    await again({ start: '2025-07-12T02:22:00+00:00', ...withOptions({ tokenExpiryZone: 'Asia/Kolkata' }) })
    Object.assign(pos.simulator.behaviour, { expiry: 'token_expiry', timeZone: 'Asia/Kolkata' })
    // The backend writes 15:52, which is 10:22 UTC.
    expect(await pos.run()).toMatchObject({ tokenValidity: '2025-07-12T10:22:00+00:00' })
  })

  test('a zone that is none is a configuration error', async () => {
    await again(withOptions({ tokenExpiryZone: 'Mars/Olympus' }))
    expect(await pos.run()).toMatchObject({ code: 'configuration_invalid' })
  })
})

describe('a backend whose clock is off', () => {
  test.each([10, -10])('by %i minutes keeps the consumers in live tokens', async (clockSkewMinutes) => {
    pos.simulator.behaviour.clockSkewMinutes = clockSkewMinutes
    await pos.run()
    for (let quarter = 0; quarter < 100; quarter++) {
      const headers = { accept: 'application/json', authorization: `Bearer ${await pos.token()}` }
      expect((await fetch(`${pos.server.origin}/api/user`, { headers })).status).toBe(200)
      pos.world.clock.advance({ minutes: 15 })
      expect(await pos.run()).toMatchObject({ success: true })
    }
    expect(pos.simulator.logins).toBe(4)
  })
})
