import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SimulatorServer, startSimulator } from '../../../lib/simulators/kit/simulator-server.ts'
import { VirtualClock } from '../../../lib/simulators/kit/virtual-clock.ts'
import { PosConnectorSimulator } from '../../../lib/simulators/pos-connector/pos-connector-simulator.ts'
import { POS_FAULTS } from '../../../lib/simulators/pos-connector/replies.ts'

const USER = {
  id: 7,
  name: 'SIM POS',
  email: 'pos@example.invalid',
  password: 'S3CRET',
  vendorId: 'VENDOR-1',
}
const INVOICE = {
  vendor_id: 'VENDOR-1',
  invoice_number: 'SIM-0001',
  currency: 'INR',
  lines: [{ description: 'Item', quantity: 1, unit_price: '100.00' }],
}

let clock: VirtualClock
let simulator: PosConnectorSimulator
let server: SimulatorServer
let token: string

beforeEach(async () => {
  clock = new VirtualClock('2025-07-12T10:00:00+00:00')
  simulator = new PosConnectorSimulator(clock, [USER])
  server = await startSimulator(simulator, { clock })
  token = simulator.tokenFor(USER.email)
})

afterEach(() => server.close())

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly json: Record<string, unknown>
}

async function send(
  path: string,
  headers: Record<string, string>,
  body?: unknown,
  method?: string,
): Promise<Response> {
  return fetch(server.origin + path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

async function call(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const reply = await send(path, { authorization: `Bearer ${token}`, ...headers }, body)
  return { status: reply.status, headers: reply.headers, json: (await reply.json()) as Answer['json'] }
}

function login(password = USER.password): Promise<Answer> {
  return call(
    '/api/login',
    { email: USER.email, password, device_name: 'pos-connector' },
    { authorization: '' },
  )
}

describe('the simulated login', () => {
  test('answers in three shapes', async () => {
    expect((await login()).json).toMatchObject({
      token: expect.stringMatching(/^\d+\|[0-9a-f]{40}$/),
      token_type: 'Bearer',
      expires_at: '2025-07-13T10:00:00.000000Z',
      user: { id: 7, name: 'SIM POS', email: USER.email, vendor_id: 'VENDOR-1' },
    })
    Object.assign(simulator.behaviour, { shape: 'access_token', expiry: 'expires_in' })
    expect((await login()).json).toMatchObject({ access_token: expect.any(String), expires_in: 86_400 })
    Object.assign(simulator.behaviour, { shape: 'data', expiry: 'token_expiry', timeZone: 'Asia/Kolkata' })
    expect((await login()).json).toEqual({
      data: { token: expect.any(String), token_expiry: '2025-07-13T15:30:00.000000' },
    })
    simulator.behaviour.expiry = 'null'
    expect((await login()).json).toMatchObject({ data: { expires_at: null } })
  })

  test('tells a wrong password as 422 or 401', async () => {
    expect(await login('WRONG')).toMatchObject({
      status: 422,
      json: { errors: { email: [expect.any(String)] } },
    })
    simulator.behaviour.wrongPassword = 401
    expect(await login('WRONG')).toMatchObject({ status: 401, json: { message: 'Invalid credentials' } })
  })

  test('throttles the sixth login in a minute until the next minute', async () => {
    clock.advance({ seconds: 3 })
    for (let i = 0; i < 5; i++) expect((await login()).status).toBe(200)
    const sixth = await login()
    expect(sixth).toMatchObject({ status: 429, json: { errors: { email: [expect.any(String)] } } })
    expect(sixth.headers.get('retry-after')).toBe('57')
    clock.advance({ seconds: 57 })
    expect((await login()).status).toBe(200)
  })

  test('leads to the login page where the Accept header is missing', async () => {
    for (const [path, body] of [
      ['/api/login', {}],
      ['/api/user', undefined],
    ] as const) {
      const reply = await send(path, { accept: '*/*' }, body)
      expect(reply.status).toBe(302)
      expect(reply.headers.get('location')).toBe('/login')
    }
    expect(await (await send('/login', { accept: 'text/html' })).text()).toContain('<html>')
  })
})

describe('the life of a simulated token', () => {
  test('ends by the backend’s own clock', async () => {
    simulator.behaviour.clockSkewMinutes = 10
    clock.set('2025-07-13T09:49:59+00:00')
    expect((await call('/api/user')).status).toBe(200)
    clock.set('2025-07-13T09:50:00+00:00')
    expect(await call('/api/user')).toMatchObject({ status: 401, json: { message: 'Unauthenticated.' } })
  })

  test('ends by logout, by revocation, and by a newer login where the backend deletes older tokens', async () => {
    expect((await send('/api/logout', { authorization: `Bearer ${token}` }, {})).status).toBe(204)
    expect((await call('/api/user')).status).toBe(401)
    token = simulator.tokenFor(USER.email)
    await login()
    expect((await call('/api/user')).status).toBe(200)
    simulator.behaviour.deletesOlderTokens = true
    await login()
    expect((await call('/api/user')).status).toBe(401)
    token = simulator.tokenFor(USER.email)
    simulator.revokeTokensOf(USER.email)
    expect((await call('/api/user')).status).toBe(401)
  })

  test('may be refused once, or always', async () => {
    simulator.behaviour.refusals = 1
    expect((await call('/api/user')).status).toBe(401)
    expect((await call('/api/user')).status).toBe(200)
    simulator.behaviour.refusals = Number.POSITIVE_INFINITY
    for (let i = 0; i < 3; i++) expect((await call('/api/user')).status).toBe(401)
  })

  test('knows sixty calls a minute', async () => {
    for (let i = 0; i < 60; i++) expect((await call('/api/user')).status).toBe(200)
    const over = await call('/api/user')
    expect(over).toMatchObject({ status: 429, json: { message: 'Too Many Attempts.' } })
    expect(over.headers.get('x-ratelimit-limit')).toBe('60')
  })
})

describe('simulated invoices', () => {
  test('are created, submitted and accepted', async () => {
    const created = await call('/api/invoices', INVOICE)
    expect(created).toMatchObject({
      status: 201,
      json: {
        data: {
          id: '1001',
          invoice_number: 'SIM-0001',
          status: 'draft',
          created_at: '2025-07-12T10:00:00.000000Z',
        },
      },
    })
    expect(await call('/api/invoices/1001/submit', {})).toMatchObject({
      status: 202,
      json: { data: { id: '1001', status: 'submitted' } },
    })
    expect(await call('/api/invoices/1001/status')).toMatchObject({
      json: { data: { id: '1001', status: 'accepted', errors: [] } },
    })
  })

  test('a repeat with the same key is answered like the first time, without it 409', async () => {
    const key = { 'idempotency-key': '0b0f6d0e-0000-4000-8000-000000000001' }
    const first = await call('/api/invoices', INVOICE, key)
    expect((await call('/api/invoices', INVOICE, key)).json).toEqual(first.json)
    expect(simulator.invoices.invoices.size).toBe(1)
    expect((await call('/api/invoices/1001/submit', {}, key)).status).toBe(202)
    expect((await call('/api/invoices/1001/submit', {}, key)).status).toBe(202)
    expect(await call('/api/invoices/1001/submit', {})).toMatchObject({
      status: 409,
      json: { message: 'Invoice already submitted.' },
    })
  })

  test('a lost reply has been processed all the same', async () => {
    server.failNext('/api/invoices', { kind: 'lost_reply' })
    await expect(call('/api/invoices', INVOICE)).rejects.toThrow()
    expect(simulator.invoices.invoices.size).toBe(1)
  })

  test('without lines 422, of another vendor 403, unknown 404, by a wrong method 405', async () => {
    expect(await call('/api/invoices', {})).toMatchObject({
      status: 422,
      json: { errors: { lines: ['The lines field is required.'] } },
    })
    expect((await call('/api/invoices', { ...INVOICE, vendor_id: 'VENDOR-2' })).status).toBe(403)
    expect((await call('/api/invoices/9999/status')).status).toBe(404)
    expect((await call('/api/nothing')).status).toBe(404)
    expect((await send('/api/invoices', {}, undefined, 'PUT')).status).toBe(405)
  })

  test('need a live token', async () => {
    simulator.revokeTokensOf(USER.email)
    expect((await call('/api/invoices', INVOICE)).status).toBe(401)
    expect(simulator.invoices.invoices.size).toBe(0)
  })

  test('as PDF are a PDF, a web page, or broken off', async () => {
    await call('/api/invoices', INVOICE)
    const pdf = (): Promise<Response> =>
      send('/api/invoices/1001/pdf', { accept: 'application/pdf', authorization: `Bearer ${token}` })
    const whole = await pdf()
    expect(whole.headers.get('content-type')).toBe('application/pdf')
    expect(whole.headers.get('content-disposition')).toBe('attachment; filename="SIM-0001.pdf"')
    expect(await whole.text()).toMatch(/^%PDF-/)
    simulator.behaviour.pdf = 'html'
    const web = await pdf()
    expect([web.status, web.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8'])
    simulator.behaviour.pdf = 'truncated'
    const broken = await pdf()
    expect(Number(broken.headers.get('content-length'))).toBeGreaterThan(0)
    await expect(broken.arrayBuffer()).rejects.toThrow()
  })
})

test('middleware, debug mode and proxy can answer in place of any route', async () => {
  const told: [number, string | null][] = []
  for (const fault of [
    POS_FAULTS.csrfMismatch,
    POS_FAULTS.pageExpired,
    POS_FAULTS.maintenance(),
    POS_FAULTS.maintenance(120),
    POS_FAULTS.debugError('CANARY-5e8d1c'),
  ]) {
    server.failNext('/api/user', fault)
    const reply = await send('/api/user', {})
    told.push([reply.status, reply.headers.get('retry-after')])
  }
  expect(told).toEqual([
    [419, null],
    [419, null],
    [503, null],
    [503, '120'],
    [500, null],
  ])
})
