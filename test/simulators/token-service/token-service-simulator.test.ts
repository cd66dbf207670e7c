import { request } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { simulatedJwt } from '../../../lib/simulators/kit/simulated-token.ts'
import { type SimulatorServer, startSimulator } from '../../../lib/simulators/kit/simulator-server.ts'
import { VirtualClock } from '../../../lib/simulators/kit/virtual-clock.ts'
import {
  type ExpiresAtFormat,
  TokenServiceSimulator,
} from '../../../lib/simulators/token-service/token-service-simulator.ts'

let clock: VirtualClock
let simulator: TokenServiceSimulator
let server: SimulatorServer

beforeEach(async () => {
  clock = new VirtualClock('2026-09-14T08:00:00+05:30')
  const source = (sub: string) => (): string =>
    simulatedJwt({ sub }, { issuedAt: clock.now(), expiresAt: clock.now().add({ seconds: 70_200 }) })
  simulator = new TokenServiceSimulator(clock, { ACC1: source('SIM001'), ACC2: source('SIM002') })
  server = await startSimulator(simulator, { clock })
})

afterEach(() => server.close())

async function call(
  route: 'token' | 'refresh',
  account = 'ACC1',
): Promise<{ status: number; retryAfter: unknown; text: string; json: Record<string, unknown> }> {
  const reply = await request(`${server.origin}/accounts/${account}/${route}`, {
    method: route === 'token' ? 'GET' : 'POST',
  })
  const text = await reply.body.text()
  const json = text.startsWith('{') ? JSON.parse(text) : {}
  return { status: reply.statusCode, retryAfter: reply.headers['retry-after'], text, json }
}

const tokenOf = async (route: 'token' | 'refresh'): Promise<unknown> =>
  (await call(route)).json['access_token']

describe('without a script', () => {
  test('the current token stays until a refresh, which is answered with the new one', async () => {
    const first = await tokenOf('token')
    expect(await tokenOf('token')).toBe(first)
    const second = await tokenOf('refresh')
    expect(second).not.toBe(first)
    expect(await tokenOf('token')).toBe(second)
  })

  test('an unknown account is 404, also one with a name every object has', async () => {
    expect((await call('token', 'ACC9')).status).toBe(404)
    expect((await call('token', 'constructor')).status).toBe(404)
  })

  test('a key is wanted where one is set', async () => {
    simulator.behaviour.key = 'sim-service-key'
    expect((await call('token')).status).toBe(401)
  })
})

describe('a script', () => {
  test('is answered step by step, and its last step stays', async () => {
    simulator.script('ACC1', { token: [{ status: 500 }, { status: 502 }, { status: 423 }, 'current'] })
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) statuses.push((await call('token')).status)
    expect(statuses).toEqual([500, 502, 423, 200, 200])
  })

  test('concerns one account only', async () => {
    simulator.script('ACC1', { token: [{ status: 500 }] })
    expect((await call('token', 'ACC2')).status).toBe(200)
  })

  test('can hand out dead tokens, another user’s, none, or an error text', async () => {
    const other = simulator.currentOf('ACC2')
    simulator.script('ACC1', {
      token: ['expired', { tokenOf: 'ACC2' }, 'without_token', 'empty_token', 'error_text_as_token', 'html'],
    })
    const expired = String(await tokenOf('token')).split('.')[1] ?? ''
    const { exp } = JSON.parse(Buffer.from(expired, 'base64url').toString()) as { exp: number }
    expect(exp * 1000).toBeLessThan(clock.now().epochMilliseconds)
    expect(await tokenOf('token')).toBe(other)
    expect(await tokenOf('token')).toBeUndefined()
    expect(await tokenOf('token')).toBe('')
    expect(await tokenOf('token')).toMatch(/^Error: /)
    expect((await call('token')).text).toMatch(/^<html>/)
  })

  test('can throttle with Retry-After and break with HTML', async () => {
    simulator.script('ACC1', { token: [{ status: 429, retryAfterSeconds: 30 }, { status: 502 }] })
    expect(await call('token')).toMatchObject({ status: 429, retryAfter: '30' })
    expect((await call('token')).text).toMatch(/^<html>/)
  })
})

test.each<[ExpiresAtFormat, unknown]>([
  ['iso', '2026-09-15T03:30:00+05:30'],
  ['iso_naive', '2026-09-15T03:30:00'],
  ['epoch_seconds', 1789423200],
  ['epoch_milliseconds', 1789423200000],
  ['epoch_seconds_text', '1789423200'],
  ['epoch_milliseconds_text', '1789423200000'],
  ['absent', undefined],
])('expires_at can be written as %s', async (format, expected) => {
  simulator.behaviour.expiresAt = format
  expect((await call('token')).json['expires_at']).toBe(expected)
})
