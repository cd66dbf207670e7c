import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SIMULATED_CODE } from '../../../lib/simulators/kit/login-page.ts'
import { HTML_502 } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { KITE_FAULTS } from '../../../lib/simulators/zerodha/replies.ts'
import { ZerodhaSimulator } from '../../../lib/simulators/zerodha/zerodha-simulator.ts'
import { World } from '../../support/world.ts'

// What lib/brokers/zerodha/README.md says of Kite, as far as an adapter's own tests do not meet it.
const CALLBACK = 'https://example.invalid/callback?own=1'
const APP = { apiKey: 'kiteapikey123', secret: 'S3CRET', redirectUrl: CALLBACK }
const NO_VERSION = {}

let world: World
let simulator: ZerodhaSimulator
let server: SimulatorServer

beforeEach(async () => {
  world = new World('2026-09-12T13:57:47+05:30')
  simulator = new ZerodhaSimulator(world.clock, { ...APP }, [
    { userId: 'SIM001', name: 'SIM USER ONE' },
    { userId: 'SIM002', name: 'SIM <USER> TWO' },
  ])
  server = await world.serve(simulator)
})

afterEach(() => world.close())

interface Kite {
  readonly status: number
  readonly body: { status: string; error_type?: string; message?: string; data: Record<string, string> }
}

async function kite(path: string, request: RequestInit = {}): Promise<Kite> {
  const reply = await fetch(server.origin + path, { redirect: 'manual', ...request })
  return { status: reply.status, body: (await reply.json()) as Kite['body'] }
}

function post(path: string, fields: Record<string, string>): Promise<Kite> {
  return kite(path, { method: 'POST', body: new URLSearchParams(fields), headers: NO_VERSION })
}

function session(field: 'request_token' | 'refresh_token', token: string, fields = {}): Promise<Kite> {
  const checksum = createHash('sha256').update(`${APP.apiKey}${token}${APP.secret}`).digest('hex')
  const path = field === 'request_token' ? '/session/token' : '/session/refresh_token'
  return post(path, { api_key: APP.apiKey, [field]: token, checksum, ...fields })
}

function exchange(token = simulator.requestTokenFor('SIM001'), fields = {}): Promise<Kite> {
  return session('request_token', token, fields)
}

async function read(accessToken: string, path = '/user/profile'): Promise<Kite> {
  return kite(path, { headers: { authorization: `token ${APP.apiKey}:${accessToken}` } })
}

const DEAD = { status: 403, body: { status: 'error', error_type: 'TokenException', data: null } }
const ALIVE = { status: 200, body: { status: 'success' } }

describe('the exchange', () => {
  test('replies as documented, also without X-Kite-Version', async () => {
    const { status, body } = await exchange()
    expect(status).toBe(200)
    expect(body).toEqual({
      status: 'success',
      data: expect.objectContaining({
        user_id: 'SIM001',
        user_name: 'SIM USER ONE',
        user_shortname: 'SIM',
        broker: 'ZERODHA',
        api_key: APP.apiKey,
        access_token: expect.stringMatching(/^[a-z0-9]{32}$/),
        public_token: expect.stringMatching(/^[a-z0-9]{32}$/),
        refresh_token: '',
        login_time: '2026-09-12 13:57:47',
      }),
    })
  })

  test('takes a request token once', async () => {
    const token = simulator.requestTokenFor('SIM001')
    expect(await exchange(token)).toMatchObject(ALIVE)
    expect(await exchange(token)).toMatchObject(DEAD)
  })

  test('takes a request token for five minutes, or as long as it is told to', async () => {
    const token = simulator.requestTokenFor('SIM001')
    world.clock.advance({ seconds: 299 })
    expect(await exchange(token)).toMatchObject(ALIVE)
    const old = simulator.requestTokenFor('SIM001')
    world.clock.advance({ seconds: 300 })
    expect(await exchange(old)).toMatchObject(DEAD)
    simulator.behaviour.requestTokenLifeSeconds = 10
    const short = simulator.requestTokenFor('SIM001')
    world.clock.advance({ seconds: 10 })
    expect(await exchange(short)).toMatchObject(DEAD)
  })

  test('refuses the checksum of another secret in these words', async () => {
    const token = simulator.requestTokenFor('SIM001')
    const checksum = createHash('sha256').update(`${APP.apiKey}${token}WRONG`).digest('hex')
    const { status, body } = await exchange(token, { checksum })
    expect(status).toBe(403)
    expect(body).toEqual({
      status: 'error',
      message: 'Invalid `checksum`.',
      data: null,
      error_type: 'TokenException',
    })
  })

  test.each([{ api_key: '' }, { request_token: '' }, { checksum: '' }, { api_key: 'otherkey' }])(
    'refuses %j as a wrong input',
    async (fields) =>
      expect(await exchange(undefined, fields)).toMatchObject({
        status: 400,
        body: { error_type: 'InputException' },
      }),
  )
})

describe('an access token', () => {
  const accessToken = async (): Promise<string> => (await exchange()).body.data['access_token'] ?? ''

  test('dies at 06:00 IST', async () => {
    const token = await accessToken()
    expect(await read(token)).toMatchObject({ ...ALIVE, body: { data: { user_id: 'SIM001' } } })
    world.clock.set('2026-09-13T05:59:59+05:30')
    expect(await read(token)).toMatchObject(ALIVE)
    world.clock.set('2026-09-13T06:00:00+05:30')
    expect(await read(token)).toMatchObject(DEAD)
  })

  test('is not told by the profile', async () => {
    const { body } = await read(await accessToken())
    expect(Object.keys(body.data).filter((name) => name.endsWith('_token'))).toEqual([])
  })

  test('dies by a master logout, and nobody else’s does', async () => {
    const token = await accessToken()
    const others = simulator.accessTokenFor('SIM002')
    simulator.masterLogout('SIM001')
    expect(await read(token)).toMatchObject(DEAD)
    expect(await read(others)).toMatchObject(ALIVE)
  })

  test.each([
    [true, DEAD],
    [false, ALIVE],
  ])('with secondLoginEndsFirst %s is %j after a second login', async (ends, then) => {
    simulator.behaviour.secondLoginEndsFirst = ends
    const [first, second] = [await accessToken(), await accessToken()]
    expect(await read(first)).toMatchObject(then)
    expect(await read(second)).toMatchObject(ALIVE)
  })

  test('is ended by its logout, once', async () => {
    const token = await accessToken()
    const logout = () =>
      kite(`/session/token?api_key=${APP.apiKey}&access_token=${token}`, { method: 'DELETE' })
    expect(await logout()).toEqual({ status: 200, body: { status: 'success', data: true } })
    expect(await read(token)).toMatchObject(DEAD)
    expect(await logout()).toMatchObject(DEAD)
  })

  test('works with the key of its own app only', async () => {
    const headers = { authorization: `token otherkey:${await accessToken()}` }
    expect(await kite('/user/profile', { headers })).toMatchObject(DEAD)
  })

  test('places no order from an address that is not registered, while reads work', async () => {
    const token = await accessToken()
    const order = () =>
      kite('/orders/regular', { method: 'POST', headers: { authorization: `token ${APP.apiKey}:${token}` } })
    expect(await order()).toMatchObject(ALIVE)
    simulator.behaviour.orderAddresses = ['203.0.113.7']
    expect(await order()).toMatchObject({ status: 403, body: { error_type: 'PermissionException' } })
    expect(await read(token, '/user/margins')).toMatchObject(ALIVE)
    simulator.behaviour.orderAddresses = ['127.0.0.1']
    expect(await order()).toMatchObject(ALIVE)
  })
})

describe('a refresh token', () => {
  test('is for approved platforms only', async () => {
    expect(await session('refresh_token', simulator.refreshTokenFor('SIM001'))).toMatchObject(DEAD)
  })

  test('that rotates works once and brings the next one', async () => {
    simulator.behaviour.approvedPlatform = 'rotating'
    const first = (await exchange()).body.data['refresh_token'] ?? ''
    const second = (await session('refresh_token', first)).body.data['refresh_token'] ?? ''
    expect(second).not.toBe(first)
    expect(await session('refresh_token', first)).toMatchObject(DEAD)
    const { body } = await session('refresh_token', second)
    expect(await read(body.data['access_token'] ?? '')).toMatchObject(ALIVE)
  })

  test('that is static comes back as it was and works again', async () => {
    simulator.behaviour.approvedPlatform = 'static'
    const token = (await exchange()).body.data['refresh_token'] ?? ''
    for (let use = 0; use < 2; use++) {
      expect((await session('refresh_token', token)).body.data['refresh_token']).toBe(token)
    }
  })

  test('needs its own checksum, and ends by its logout', async () => {
    simulator.behaviour.approvedPlatform = 'static'
    const token = simulator.refreshTokenFor('SIM001')
    const wrong = await session('refresh_token', token, { checksum: 'f'.repeat(64) })
    expect(wrong.body.message).toBe('Invalid `checksum`.')
    await kite(`/session/token?api_key=${APP.apiKey}&refresh_token=${token}`, { method: 'DELETE' })
    expect(await session('refresh_token', token)).toMatchObject(DEAD)
  })
})

describe('the login page', () => {
  const login = (fields: Record<string, string>): string =>
    `${server.origin}/connect/login?${new URLSearchParams({ v: '3', api_key: APP.apiKey, ...fields })}`
  const submit = (fields: Record<string, string>): Promise<Response> =>
    fetch(`${server.origin}/connect/login`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ v: '3', api_key: APP.apiKey, redirect_params: 'state=a%26b', ...fields }),
    })

  test('shows its users and its code, escaped, and sends nobody anywhere', async () => {
    const reply = await fetch(login({ redirect_params: 'state="><script>' }), { redirect: 'manual' })
    const text = await reply.text()
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toContain('text/html')
    expect(text).toContain('value="SIM001"')
    expect(text).toContain('SIM &lt;USER&gt; TWO')
    expect(text).toContain(SIMULATED_CODE)
    expect(text).not.toContain('<script>')
  })

  test('redirects to the registered address with a request token of who logged in and our parameters', async () => {
    const reply = await submit({ user: 'SIM002', code: SIMULATED_CODE, decision: 'approve' })
    expect(reply.status).toBe(302)
    const back = new URL(reply.headers.get('location') ?? '')
    expect(back.origin + back.pathname).toBe('https://example.invalid/callback')
    const { request_token: token = '', ...rest } = Object.fromEntries(back.searchParams)
    expect(rest).toEqual({ own: '1', action: 'login', status: 'success', state: 'a&b' })
    expect((await exchange(token)).body.data).toMatchObject({ user_id: 'SIM002' })
  })

  test('goes back without a request token when the person cancels', async () => {
    const reply = await submit({ user: 'SIM001', decision: 'refuse' })
    const back = new URL(reply.headers.get('location') ?? '')
    expect(Object.fromEntries(back.searchParams)).toEqual({
      own: '1',
      action: 'login',
      status: 'cancelled',
      state: 'a&b',
    })
  })

  test.each([
    { user: 'SIM001', code: '000000' },
    { user: 'SIM001' },
    { user: 'SIM999', code: SIMULATED_CODE },
  ])('is shown again with what was wrong in %j', async (fields) => {
    const reply = await submit({ ...fields, decision: 'approve' } as Record<string, string>)
    expect(reply.status).toBe(200)
    const text = await reply.text()
    expect(text).toContain('role="alert"')
    expect(text).toContain('value="state=a%26b"')
  })

  test('can be skipped for clients that only speak HTTP, as any user', async () => {
    simulator.behaviour.automaticLogin = 'SIM002'
    const reply = await fetch(login({ redirect_params: 'state=s' }), { redirect: 'manual' })
    const back = new URL(reply.headers.get('location') ?? '')
    expect(back.searchParams.get('state')).toBe('s')
    const { body } = await exchange(back.searchParams.get('request_token') ?? '')
    expect(body.data['user_id']).toBe('SIM002')
  })

  test('follows the address that is registered, whatever it was before', async () => {
    simulator.behaviour.automaticLogin = 'SIM001'
    simulator.client.redirectUrl = 'http://127.0.0.1:8787/callback/zerodha'
    const reply = await fetch(login({}), { redirect: 'manual' })
    expect(reply.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:8787\/callback\/zerodha\?/)
  })

  test.each([{ api_key: 'otherkey' }, { v: '2' }])('refuses %j', async (fields) => {
    for (const reply of [await fetch(login(fields)), await submit({ ...fields, decision: 'approve' })]) {
      expect(reply.status).toBe(400)
      expect(await reply.json()).toMatchObject({ error_type: 'InputException' })
    }
  })
})

describe('faults', () => {
  test.each([
    [429, 'NetworkException'],
    [500, 'GeneralException'],
    [502, 'DataException'],
    [503, 'NetworkException'],
    [504, 'NetworkException'],
  ] as const)('%i says %s, once', async (status, errorType) => {
    const token = simulator.accessTokenFor('SIM001')
    server.failNext('/user/profile', KITE_FAULTS[status])
    expect(await read(token)).toMatchObject({ status, body: { status: 'error', error_type: errorType } })
    expect(await read(token)).toMatchObject(ALIVE)
  })

  test('an edge page is HTML', async () => {
    server.failNext('/user/profile', HTML_502)
    const reply = await fetch(`${server.origin}/user/profile`)
    expect([reply.status, reply.headers.get('content-type')]).toEqual([502, 'text/html'])
  })

  test.each([
    ['GET', '/session/token', 405],
    ['POST', '/user/profile', 405],
    ['GET', '/nowhere', 404],
  ])('%s %s is %i in Kite’s envelope', async (method, path, status) => {
    expect(await kite(path, { method })).toMatchObject({ status, body: { status: 'error', data: null } })
  })
})
