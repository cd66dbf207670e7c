import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { World } from '../../support/world.ts'

// What lib/brokers/fyers/README.md says of FYERS, as far as an adapter's own tests do not meet it.
const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET' }
const GOOD_HASH = 'b36c4fe3df6420f8a81bb56200bfbcedfdabecdc72cc9677d06c0467b8c7c56f'

let world: World
let simulator: FyersSimulator
let server: SimulatorServer

beforeEach(async () => {
  world = new World('2026-11-23T07:00:00+05:30')
  simulator = new FyersSimulator(world.clock, APP, [
    { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' },
    { fyId: 'XX00002', name: 'SIM USER TWO', pin: '9999' },
  ])
  server = await world.serve(simulator)
})

afterEach(() => world.close())

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(server.origin + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers,
    redirect: 'manual',
  })
}

async function exchange(fields: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const body = {
    grant_type: 'authorization_code',
    code: simulator.authCodeFor('XX00001'),
    appIdHash: GOOD_HASH,
    ...fields,
  }
  return (await (await post('/api/v3/validate-authcode', body)).json()) as Record<string, unknown>
}

describe('the exchange', () => {
  test('gives both tokens once per code', async () => {
    const code = simulator.authCodeFor('XX00001')
    expect(await exchange({ code })).toMatchObject({ s: 'ok', access_token: expect.any(String) })
    world.clock.advance({ minutes: 1 })
    expect(await exchange({ code })).toMatchObject({ s: 'error', code: -437 })
  })

  test('refuses an expired code', async () => {
    const code = simulator.authCodeFor('XX00001')
    world.clock.advance({ hours: 9 })
    expect(await exchange({ code })).toMatchObject({ code: -437 })
  })

  test.each(['ABCDEFGH12:S3CRET', 'ABCDEFGH12-100S3CRET', 'ABCDEFGH12-100-S3CRET'])(
    'refuses the hash of %s',
    async (input) => {
      const appIdHash = createHash('sha256').update(input).digest('hex')
      expect(await exchange({ appIdHash })).toMatchObject({ code: -371 })
    },
  )

  test.each([
    [{ grant_type: 'refresh_token' }, -441],
    [{ code: '' }, -374],
  ])('refuses %j with %i', async (fields, code) => expect(await exchange(fields)).toMatchObject({ code }))

  describe('of a code that was asked for with a challenge', () => {
    // RFC 7636, appendix B.
    const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

    test('takes its verifier in place of the hash', async () => {
      const code = simulator.authCodeFor('XX00001', CHALLENGE)
      const fields = { code, code_verifier: VERIFIER, appIdHash: undefined }
      expect(await exchange(fields)).toMatchObject({ s: 'ok' })
    })

    test.each([undefined, '', 'another-verifier', CHALLENGE])('refuses the verifier %j', async (verifier) => {
      const code = simulator.authCodeFor('XX00001', CHALLENGE)
      expect(await exchange({ code, code_verifier: verifier })).toMatchObject({ code: -437 })
    })

    test('and a code without one is not redeemed by a verifier', async () => {
      const fields = { code_verifier: VERIFIER, appIdHash: undefined }
      expect(await exchange(fields)).toMatchObject({ code: -371 })
    })
  })

  test('the third within 15 s is blocked at the edge with HTML for ten minutes', async () => {
    await exchange()
    await exchange()
    const body = {
      grant_type: 'authorization_code',
      code: simulator.authCodeFor('XX00001'),
      appIdHash: GOOD_HASH,
    }
    const blocked = await post('/api/v3/validate-authcode', body)
    expect(blocked.status).toBe(429)
    expect(await blocked.text()).toMatch(/^<html>/)
    world.clock.advance({ minutes: 11 })
    expect(await exchange()).toMatchObject({ s: 'ok' })
  })
})

describe('a dead token', () => {
  test.each([
    ['GET', '/api/v3/profile', -16],
    ['GET', '/api/v3/funds', -16],
    ['GET', '/data/quotes', -15],
    ['POST', '/api/v3/logout', -16],
  ])('%s %s answers %i', async (method, path, code) => {
    const reply = await fetch(server.origin + path, {
      method,
      headers: { authorization: `${APP.clientId}:dead` },
    })
    expect(await reply.json()).toMatchObject({ s: 'error', code })
  })

  test('is one that was logged out', async () => {
    const headers = { authorization: `${APP.clientId}:${simulator.accessTokenFor('XX00001')}` }
    expect(await (await fetch(`${server.origin}/api/v3/profile`, { headers })).json()).toMatchObject({
      s: 'ok',
    })
    await post('/api/v3/logout', {}, headers)
    expect(await (await fetch(`${server.origin}/api/v3/profile`, { headers })).json()).toMatchObject({
      code: -16,
    })
  })
})

describe('limits', () => {
  test('the fourth overrun of a minute blocks for the rest of the day', async () => {
    simulator.behaviour.perMinuteLimit = 2
    const call = async (): Promise<number> => (await fetch(`${server.origin}/api/v3/profile`)).status
    for (let minute = 0; minute < 4; minute++) {
      expect([await call(), await call(), await call()].at(-1)).toBe(429)
      world.clock.advance({ minutes: 1 })
    }
    expect(await call()).toBe(429)
    world.clock.advance({ hours: 24 })
    expect(await call()).toBe(401)
  })

  test('orders say in two headers when to come back', async () => {
    const reply = await post('/api/v3/orders/sync', {})
    expect(reply.status).toBe(429)
    expect(reply.headers.get('retry-after')).toBe('1')
    expect(reply.headers.get('x-retry-after-ms')).toBe('1000')
  })

  test('a PIN that was wrong too often is refused even when right', async () => {
    simulator.behaviour.wrongPin = { code: -1234, lockAfter: 2 }
    const refresh = async (pin: string): Promise<unknown> => {
      const body = {
        grant_type: 'refresh_token',
        appIdHash: GOOD_HASH,
        refresh_token: simulator.refreshTokenFor('XX00001'),
        pin,
      }
      return (await post('/api/v3/validate-refresh-token', body)).json()
    }
    expect(await refresh('0000')).toMatchObject({ code: -1234 })
    expect(await refresh('0000')).toMatchObject({ code: -1234 })
    expect(await refresh('0412')).toMatchObject({ code: -1234, message: 'Account locked' })
  })
})

describe('the login', () => {
  const redirect = 'https://example.invalid/cb'
  beforeEach(() => {
    simulator.behaviour.automaticLogin = 'XX00001'
  })
  const login = async (query: string): Promise<URL> => {
    const reply = await fetch(`${server.origin}/api/v3/generate-authcode?${query}`, { redirect: 'manual' })
    return new URL(reply.headers.get('location') ?? 'about:blank')
  }

  test.each(['client_id=', '&client_id='])(
    'redirects back with code and state, also for the SDK’s stray ampersand (%s)',
    async (start) => {
      const url = await login(
        `${start}${APP.clientId}&redirect_uri=${redirect}&response_type=code&state=st4te`,
      )
      expect(Object.fromEntries(url.searchParams)).toMatchObject({ s: 'ok', code: '200', state: 'st4te' })
      expect(await exchange({ code: url.searchParams.get('auth_code') })).toMatchObject({ s: 'ok' })
    },
  )

  test('can drop s and code, and can come back as somebody else', async () => {
    simulator.behaviour.bareRedirect = true
    simulator.behaviour.loginAs = 'XX00002'
    const url = await login(`client_id=${APP.clientId}&redirect_uri=${encodeURIComponent(redirect)}&state=x`)
    expect([...url.searchParams.keys()]).toEqual(['auth_code', 'state'])
    const { access_token: token } = (await exchange({ code: url.searchParams.get('auth_code') })) as {
      access_token: string
    }
    const profile = await fetch(`${server.origin}/api/v3/profile`, {
      headers: { authorization: `${APP.clientId}:${token}` },
    })
    expect(await profile.json()).toMatchObject({ data: { fy_id: 'XX00002' } })
  })

  test.each(['body', 'location'] as const)(
    'by its undocumented steps ends in a 308 with the code in its %s',
    async (by) => {
      simulator.behaviour.loginRedirectBy = by
      const json = async (path: string, body: unknown) =>
        (await (await post(path, body)).json()) as Record<string, never>
      const first = await json('/vagator/v2/send_login_otp_v2', { fy_id: 'WFgwMDAwMQ==', app_id: '2' })
      const second = await json('/vagator/v2/verify_otp', {
        request_key: first['request_key'],
        otp: '541734',
      })
      const pin = { request_key: second['request_key'], identity_type: 'pin', identifier: btoa('0412') }
      const third = (await json('/vagator/v2/verify_pin_v2', pin)) as unknown as {
        data: { access_token: string }
      }
      const last = await post(
        '/api/v3/token',
        { fyers_id: 'XX00001', app_id: 'ABCDEFGH12', redirect_uri: redirect, state: 's' },
        { authorization: `Bearer ${third.data.access_token}` },
      )
      expect(last.status).toBe(308)
      const url = by === 'body' ? ((await last.json()) as { Url: string }).Url : last.headers.get('location')
      expect(new URL(url ?? '').searchParams.get('auth_code')).toMatch(/^ey/)
    },
  )
})
