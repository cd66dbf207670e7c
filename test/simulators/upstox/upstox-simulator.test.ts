import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import jsonwebtoken from 'jsonwebtoken'
import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SimulatorServer, startSimulator } from '../../../lib/simulators/kit/simulator-server.ts'
import { VirtualClock } from '../../../lib/simulators/kit/virtual-clock.ts'
import type { UpstoxApp } from '../../../lib/simulators/upstox/behaviour.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'

const USERS = [{ userId: 'SIM001', name: 'SIM USER ONE' }]
const EXCHANGE = '/v2/login/authorization/token'
const DIALOG = '/v2/login/authorization/dialog'
const PROFILE = '/v2/user/profile'
const FUNDS = '/v3/user/get-funds-and-margin'

let clock: VirtualClock
let simulator: UpstoxSimulator
let server: SimulatorServer
let notifier: Server
let app: UpstoxApp
let received: Record<string, string>[]

beforeEach(async () => {
  received = []
  notifier = createServer(async (incoming, reply) => {
    let body = ''
    for await (const chunk of incoming) body += String(chunk)
    received.push(JSON.parse(body))
    reply.end()
  })
  await new Promise<void>((resolve) => notifier.listen(0, '127.0.0.1', resolve))
  const { port } = notifier.address() as AddressInfo
  app = {
    clientId: '615b1297-0000-4000-8000-000000000001',
    secret: 'S3CRET-UPSTOX-APP',
    redirectUri: 'https://example.invalid/cb?x=1',
    notifierUrl: `http://127.0.0.1:${port}/hook/8f3c`,
  }
  clock = new VirtualClock('2026-11-23T08:00:00+05:30')
  simulator = new UpstoxSimulator(clock, app, USERS)
  server = await startSimulator(simulator, { clock })
})

afterEach(async () => {
  await server.close()
  await new Promise((resolve) => notifier.close(resolve))
})

interface Reply {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
  readonly json: Record<string, unknown>
  /** The code in the error envelope. */
  readonly code: string | undefined
}

interface Sent {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly token?: string
  readonly body?: string
  readonly userAgent?: string | null
}

async function call(
  path: string,
  { method = 'GET', token, body, userAgent = 'tokenkeeper/0' }: Sent = {},
): Promise<Reply> {
  const reply = await request(server.origin + path, {
    method,
    headers: {
      ...(userAgent !== null && { 'user-agent': userAgent }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body }),
  })
  const text = await reply.body.text()
  const json = text.startsWith('{') ? JSON.parse(text) : {}
  return { status: reply.statusCode, headers: reply.headers, text, json, code: json.errors?.[0]?.error_code }
}

function exchange(changes: Record<string, string | undefined> = {}): Promise<Reply> {
  const fields = {
    code: simulator.authCodeFor('SIM001'),
    client_id: app.clientId,
    client_secret: app.secret,
    redirect_uri: app.redirectUri,
    grant_type: 'authorization_code',
    ...changes,
  }
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  )
  return call(EXCHANGE, { method: 'POST', body: new URLSearchParams(given as [string, string][]).toString() })
}

describe('the exchange of a code', () => {
  test('answers flat, without an envelope, with a token that dies at the next 03:30 IST', async () => {
    const { status, json } = await exchange()
    expect(status).toBe(200)
    expect(json).toMatchObject({ user_id: 'SIM001', broker: 'UPSTOX', is_active: true })
    expect(json).not.toHaveProperty('status')
    expect(json).not.toHaveProperty('refresh_token')
    const { exp } = jsonwebtoken.decode(String(json['access_token'])) as { exp: number }
    expect(new Date(exp * 1000).toISOString()).toBe('2026-11-23T22:00:00.000Z')
  })

  test('at 02:30 gives a token that lives one hour', async () => {
    clock.set('2026-11-24T02:30:00+05:30')
    const token = String((await exchange()).json['access_token'])
    expect((await call(PROFILE, { token })).status).toBe(200)
    clock.advance({ hours: 1 })
    expect((await call(PROFILE, { token })).code).toBe('UDAPI100050')
  })

  test.each([
    ['client_secret', 'UDAPI100069'],
    ['client_id', 'UDAPI100069'],
    ['redirect_uri', 'UDAPI100070'],
  ])('with a wrong %s is %s and has spent the code', async (field, code) => {
    const authCode = simulator.authCodeFor('SIM001')
    const right = { redirect_uri: app.redirectUri, client_secret: app.secret, client_id: app.clientId }
    const wrong = `${right[field as keyof typeof right]}x`
    expect(await exchange({ code: authCode, [field]: wrong })).toMatchObject({ status: 401, code })
    expect((await exchange({ code: authCode })).code).toBe('UDAPI100057')
  })

  test('a second time is refused, also when the first reply was lost', async () => {
    const code = simulator.authCodeFor('SIM001')
    server.failNext(EXCHANGE, { kind: 'lost_reply' })
    await expect(exchange({ code })).rejects.toThrow()
    expect((await exchange({ code })).code).toBe('UDAPI100057')
  })

  test('errors come with the configured status and in both casings', async () => {
    simulator.behaviour.grantErrorStatus = 400
    const { status, json } = await exchange({ code: 'nonsense' })
    expect(status).toBe(400)
    expect(json['errors']).toEqual([
      expect.objectContaining({ errorCode: 'UDAPI100057', error_code: 'UDAPI100057' }),
    ])
  })

  test.each([
    ['client_id', 'UDAPI1017'],
    ['redirect_uri', 'UDAPI1018'],
    ['code', 'UDAPI1022'],
    ['grant_type', 'UDAPI1023'],
    ['client_secret', 'UDAPI1024'],
  ])('without %s is %s', async (field, code) => {
    expect(await exchange({ [field]: undefined })).toMatchObject({ status: 400, code })
  })

  test('shows the fields of other doc versions on demand', async () => {
    simulator.behaviour.extraFields = true
    expect((await exchange()).json).toMatchObject({
      expires_in: 86_400,
      refresh_token: expect.any(String),
      ddpi: false,
    })
  })
})

describe('the login dialog', () => {
  const query = (changes = {}): string =>
    `${DIALOG}?${new URLSearchParams({ client_id: app.clientId, redirect_uri: app.redirectUri, response_type: 'code', state: 's1', ...changes })}`

  test('asks who logs in and for the second factor', async () => {
    const page = await fetch(server.origin + query(), {
      headers: { 'user-agent': 'Mozilla/5.0 (simulated)' },
    })
    expect(await page.text()).toContain('Six-digit code')
  })

  test('redirects with a code that can be exchanged and the state it was given', async () => {
    simulator.behaviour.automaticLogin = 'SIM001'
    const { status, headers } = await call(query())
    expect(status).toBe(302)
    const target = new URL(String(headers['location']))
    expect(target.searchParams.get('state')).toBe('s1')
    expect(target.searchParams.get('x')).toBe('1')
    expect((await exchange({ code: target.searchParams.get('code') ?? '' })).status).toBe(200)
  })

  test('refuses a redirect URI that differs by one character', async () => {
    expect((await call(query({ redirect_uri: `${app.redirectUri}2` }))).code).toBe('UDAPI100068')
  })
})

describe('an approval request', () => {
  const ask = (secret = app.secret): Promise<Reply> =>
    call(`/v3/login/auth/token/request/${app.clientId}`, {
      method: 'POST',
      body: JSON.stringify({ client_secret: secret }),
    })

  test('is open until the next 03:30 IST, in milliseconds as text', async () => {
    const { json } = await ask()
    expect(json['data']).toEqual({
      authorization_expiry: String(Date.parse('2026-11-24T03:30:00+05:30')),
      notifier_url: app.notifierUrl,
    })
    expect(simulator.approvalRequests).toBe(1)
  })

  test('with a wrong secret asks nobody', async () => {
    expect((await ask('wrong')).code).toBe('UDAPI100069')
    expect(simulator.approvalRequests).toBe(0)
  })

  test('is answered by an unsigned webhook with a live token', async () => {
    await ask()
    expect(received).toHaveLength(0)
    expect(await simulator.approve('SIM001')).toEqual([200])
    expect(received[0]).toMatchObject({
      client_id: app.clientId,
      user_id: 'SIM001',
      token_type: 'Bearer',
      message_type: 'access_token',
      issued_at: String(Date.parse('2026-11-23T08:00:00+05:30')),
      expires_at: String(Date.parse('2026-11-24T03:30:00+05:30')),
    })
    expect((await call(PROFILE, { token: received[0]?.['access_token'] ?? '' })).status).toBe(200)
  })

  test('may be answered late, after its window', async () => {
    await ask()
    clock.set('2026-11-24T04:00:00+05:30')
    await simulator.approve('SIM001')
    expect(received[0]).toMatchObject({ expires_at: String(Date.parse('2026-11-25T03:30:00+05:30')) })
  })

  test('may be answered twice', async () => {
    expect(await simulator.approve('SIM001', 'duplicated')).toEqual([200, 200])
    expect(received[1]).toEqual(received[0])
  })

  test.each([
    ['wrong_client_id', 'client_id'],
    ['wrong_user_id', 'user_id'],
    ['wrong_message_type', 'message_type'],
  ] as const)('may be answered with a %s', async (variant, field) => {
    await simulator.approve('SIM001')
    await simulator.approve('SIM001', variant)
    expect(received[1]?.[field]).not.toBe(received[0]?.[field])
  })

  test('may be answered with a dead token', async () => {
    await simulator.approve('SIM001', 'dead_token')
    expect((await call(PROFILE, { token: received[0]?.['access_token'] ?? '' })).code).toBe('UDAPI100050')
  })
})

describe('calls with a token', () => {
  let token: string
  beforeEach(() => {
    token = simulator.accessTokenFor('SIM001')
  })

  test('the profile comes in an envelope', async () => {
    expect((await call(PROFILE, { token })).json).toMatchObject({
      status: 'success',
      data: { user_id: 'SIM001' },
    })
  })

  test('a newer token ends the older one, unless that is switched off', async () => {
    const newer = simulator.accessTokenFor('SIM001')
    expect((await call(PROFILE, { token })).status).toBe(401)
    simulator.behaviour.singleLiveToken = false
    simulator.accessTokenFor('SIM001')
    expect((await call(PROFILE, { token: newer })).status).toBe(200)
  })

  test('orders may complain about a token that the profile accepts', async () => {
    simulator.behaviour.orders = 'token_refused'
    expect(await call('/v2/order/place', { method: 'POST', token })).toMatchObject({
      status: 401,
      code: 'UDAPI100050',
    })
    expect((await call(PROFILE, { token })).status).toBe(200)
    simulator.behaviour.orders = 'address_refused'
    expect(await call('/v2/order/place', { method: 'POST', token })).toMatchObject({
      status: 403,
      code: 'UDAPI1154',
    })
  })

  test('a logout kills it, and a logout of a dead token answers with a Java exception', async () => {
    expect((await call('/v2/logout', { method: 'DELETE', token })).json).toEqual({
      status: 'success',
      data: true,
    })
    const { status, json } = await call('/v2/logout', { method: 'DELETE', token })
    expect(status).toBe(401)
    expect(json).toMatchObject({ stackTrace: [], suppressed: [], localizedMessage: expect.any(String) })
  })

  test('a new static IP kills it', async () => {
    simulator.killAccessToken('SIM001')
    expect((await call(PROFILE, { token })).code).toBe('UDAPI100050')
  })

  test('the fifty-first call to one API in a second is throttled without a Retry-After, and the second passes', async () => {
    for (let i = 0; i < 50; i++) expect((await call(PROFILE, { token })).status).toBe(200)
    const { status, code, headers } = await call(PROFILE, { token })
    expect([status, code]).toEqual([429, 'UDAPI10005'])
    expect(headers).not.toHaveProperty('retry-after')
    clock.advance({ seconds: 1 })
    expect((await call(PROFILE, { token })).status).toBe(200)
  })

  test('funds are closed from midnight to 05:30 IST', async () => {
    clock.set('2026-11-24T05:29:59+05:30')
    expect((await call(FUNDS, { token: simulator.accessTokenFor('SIM001') })).code).toBe('UDAPI100072')
    clock.set('2026-11-24T05:30:00+05:30')
    expect((await call(FUNDS, { token: simulator.accessTokenFor('SIM001') })).status).toBe(200)
  })

  test.each([null, '', 'node', 'undici', 'python-requests/2.32'])(
    'User-Agent %s is answered with an HTML 403',
    async (userAgent) => {
      const { status, text } = await call(PROFILE, { token, userAgent })
      expect(status).toBe(403)
      expect(text).toMatch(/^<!doctype html>/)
    },
  )

  test.each(['udapi-nodejs-sdk', 'Mozilla/5.0'])('User-Agent %s passes', async (userAgent) => {
    expect((await call(PROFILE, { token, userAgent })).status).toBe(200)
  })

  test('an unknown path is no resource', async () => {
    expect(await call('/v2/nothing', { token })).toMatchObject({ status: 404, code: 'UDAPI100060' })
  })
})
