import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClient } from '../../lib/client/index.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { type ApiServer, type Scripted, startApi } from './support/api-server.ts'
import { KeptSource } from './support/kept-source.ts'

const API_HOSTS: Readonly<Record<string, string>> = {
  fyers: 'FYERS_API',
  upstox: 'UPSTOX_API',
  iifl: 'IIFL_API',
  'iifl-xts': 'IIFL_XTS_API',
  zerodha: 'ZERODHA_API',
}

let scripted: Scripted
let server: ApiServer
beforeEach(async () => {
  server = await startApi(() => scripted)
})
afterEach(() => server.close())

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Scripted => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

/** The first Authorization header a broker gets, and whether its reply was taken for a refusal of the token. */
async function called(account: string, reply: Scripted): Promise<{ header: string; refusal: boolean }> {
  scripted = reply
  const source = new KeptSource(account)
  const host = API_HOSTS[account]
  if (host) source.hosts = { [host]: server.origin }
  source.publish()
  source.next = () => source.token()
  const client = createClient({
    source,
    clock: new VirtualClock('2026-11-23T08:00:00+05:30'),
    ...(!host && { baseUrl: `${server.origin}/prefix/` }),
  })
  await client.fetch('/x', { retries: 0, redirect: 'manual' })
  await client.close()
  const header = server.received[0]?.headers.authorization ?? ''
  return { header, refusal: source.asked.report === 1 }
}

describe('the header', () => {
  test.each([
    ['fyers', 'SIM-APP:CANARY-access-token-1'],
    ['upstox', 'Bearer CANARY-access-token-1'],
    ['iifl', 'Bearer CANARY-access-token-1'],
    ['iifl-xts', 'CANARY-access-token-1'],
    ['zerodha', 'token SIM-APP:CANARY-access-token-1'],
    ['pos-connector', 'Bearer CANARY-access-token-1'],
  ])('of %s is %s', async (account, expected) => {
    expect((await called(account, json(200, {}))).header).toBe(expected)
  })

  test('of Zerodha comes with Kite’s version', async () => {
    await called('zerodha', json(200, {}))
    expect(server.received[0]?.headers['x-kite-version']).toBe('3')
  })

  test('of the POS connector goes to its base URL, under its path', async () => {
    await called('pos-connector', json(200, {}))
    expect(server.received[0]?.path).toBe('/prefix/x')
  })
})

describe('a refusal of the token is', () => {
  const kite = (error_type: string, message = ''): Scripted =>
    json(403, { status: 'error', error_type, message })

  test.each([
    ['fyers', '-8 with 401', json(401, { s: 'error', code: -8 })],
    ['fyers', '-15 with 200', json(200, { s: 'error', code: -15 })],
    ['fyers', '-16 with 400', json(400, { s: 'error', code: -16 })],
    ['fyers', '-17 with 403', json(403, { s: 'error', code: -17 })],
    ['fyers', '401 without a body', { status: 401 }],
    ['upstox', '401', json(401, { errors: [{ errorCode: 'UDAPI100050' }] })],
    ['iifl', 'EC044 with 200', json(200, { status: 'EC044', message: 'Token is not valid' })],
    ['iifl', 'EC075 in the message', json(200, { status: 'Not_Ok', message: 'EC075 Unauthorized access' })],
    ['iifl', '401', json(401, {})],
    ['iifl-xts', 'e-session-0007 with 400', json(400, { type: 'error', code: 'e-session-0007' })],
    ['iifl-xts', 'e-session-0002 with 400', json(400, { type: 'error', code: 'e-session-0002' })],
    ['iifl-xts', '401', { status: 401 }],
    ['zerodha', '403 TokenException', kite('TokenException', 'Incorrect `api_key` or `access_token`.')],
    ['pos-connector', '401', json(401, { message: 'Unauthenticated.' })],
    ['pos-connector', 'a redirect to the login page', { status: 302, headers: { location: '/login' } }],
    [
      'pos-connector',
      'the same below a path',
      { status: 302, headers: { location: 'https://p.example.invalid/prefix/login?x=1' } },
    ],
  ] as const)('at %s: %s', async (account, _what, reply) => {
    expect((await called(account, reply as Scripted)).refusal).toBe(true)
  })

  test.each([
    ['fyers', 'another code with 401', json(401, { s: 'error', code: -371 })],
    ['fyers', 'a bad parameter', json(400, { s: 'error', code: -50 })],
    ['fyers', 'a good reply with such a number in it', json(200, { s: 'ok', code: -16 })],
    ['fyers', 'a server fault', json(500, { s: 'error', code: -16 })],
    ['fyers', 'an edge page', { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['upstox', '403', json(403, { errors: [{ errorCode: 'UDAPI1154' }] })],
    ['iifl', 'Ok', json(200, { status: 'Ok', message: 'EC044' })],
    ['iifl', 'another code', json(200, { status: 'EC003', message: 'Something went wrong' })],
    ['iifl-xts', 'another code with 400', json(400, { type: 'error', code: 'e-apirl-0004' })],
    ['iifl-xts', '400 that is no JSON', { status: 400, body: 'Bad Request' }],
    ['zerodha', 'a lacking permission', kite('PermissionException')],
    ['zerodha', 'a wrong API secret', kite('TokenException', 'Invalid `checksum`.')],
    ['zerodha', '400', json(400, { error_type: 'InputException' })],
    ['pos-connector', 'a redirect elsewhere', { status: 302, headers: { location: '/dashboard' } }],
    ['pos-connector', '403', json(403, { message: 'Forbidden' })],
  ] as const)('not, at %s: %s', async (account, _what, reply) => {
    expect((await called(account, reply as Scripted)).refusal).toBe(false)
  })
})
