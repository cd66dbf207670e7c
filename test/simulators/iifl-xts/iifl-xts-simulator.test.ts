import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { IiflXtsSimulator } from '../../../lib/simulators/iifl-xts/iifl-xts-simulator.ts'
import { type SimulatorServer, startSimulator } from '../../../lib/simulators/kit/simulator-server.ts'
import { VirtualClock } from '../../../lib/simulators/kit/virtual-clock.ts'

const KEYS = { appKey: 'SIMXTSAPPKEY', secretKey: 'S3CRET' }
const PROFILE = '/interactive/user/profile'

let clock: VirtualClock
let simulator: IiflXtsSimulator
let server: SimulatorServer

beforeEach(async () => {
  clock = new VirtualClock('2026-11-23T08:00:00+05:30')
  simulator = new IiflXtsSimulator(clock, [{ ...KEYS, product: 'interactive', userId: 'SIMUSER1' }])
  server = await startSimulator(simulator, { clock })
})

afterEach(() => server.close())

interface Answer {
  readonly status: number
  readonly json: {
    type?: string
    code?: string
    data?: { code?: string }
    result: { token: string; userID: string }
  }
}

async function call(
  method: string,
  path: string,
  options: { token?: string; body?: unknown } = {},
): Promise<Answer> {
  const reply = await fetch(server.origin + path, {
    method,
    headers: options.token ? { authorization: options.token } : {},
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
  })
  return { status: reply.status, json: (await reply.json()) as Answer['json'] }
}

async function login(source = 'WebAPI'): Promise<string> {
  return (await call('POST', '/interactive/user/session', { body: { ...KEYS, source } })).json.result.token
}

describe('the simulated IIFL XTS', () => {
  test.each(['WebAPI', 'WEBAPI'])('accepts %s as source', async (source) => {
    const token = await login(source)
    expect(await call('GET', PROFILE, { token })).toMatchObject({ status: 200, json: { type: 'success' } })
  })

  test('refuses another source and wrong keys with HTTP 400', async () => {
    const odd = await call('POST', '/interactive/user/session', { body: { ...KEYS, source: 'Mobile' } })
    expect(odd).toMatchObject({ status: 400, json: { type: 'error' } })
    const wrong = { ...KEYS, secretKey: 'OTHER', source: 'WebAPI' }
    expect(await call('POST', '/interactive/user/session', { body: wrong })).toMatchObject({ status: 400 })
    expect(
      await call('POST', '/apimarketdata/auth/login', { body: { ...KEYS, source: 'WebAPI' } }),
    ).toMatchObject({
      status: 400,
    })
  })

  test('tells a missing header from a dead token, both with HTTP 400', async () => {
    expect(await call('GET', PROFILE)).toMatchObject({ status: 400, json: { code: 'e-token-0002' } })
    expect(await call('GET', PROFILE, { token: 'gone' })).toMatchObject({
      status: 400,
      json: { code: 'e-session-0007' },
    })
  })

  test('an interactive token fails on a market-data route', async () => {
    const token = await login()
    expect(await call('GET', '/apimarketdata/config/clientConfig', { token })).toMatchObject({
      status: 400,
      json: { code: 'e-session-0007' },
    })
  })

  test('logout kills the token, and so does a second login unless sessions may be shared', async () => {
    const first = await login()
    await call('DELETE', '/interactive/user/session', { token: first })
    expect(await call('GET', PROFILE, { token: first })).toMatchObject({ status: 400 })
    const second = await login()
    const third = await login()
    expect(await call('GET', PROFILE, { token: second })).toMatchObject({ status: 400 })
    simulator.behaviour.singleSession = false
    await login()
    expect(await call('GET', PROFILE, { token: third })).toMatchObject({ status: 200 })
  })

  test.each(['opaque', 'jwt'] as const)('%s tokens die at the configured clock', async (tokens) => {
    simulator.behaviour.tokens = tokens
    simulator.behaviour.death = { at: '16:00', timeZone: 'Asia/Kolkata' }
    const token = await login()
    clock.set('2026-11-23T15:59:59+05:30')
    expect(await call('GET', PROFILE, { token })).toMatchObject({ status: 200 })
    clock.set('2026-11-23T16:00:00+05:30')
    expect(await call('GET', PROFILE, { token })).toMatchObject({ status: 400 })
  })

  test('throttles at top level and nested', async () => {
    simulator.behaviour.rateLimited = { shape: 'top', status: 400 }
    expect(await call('GET', PROFILE)).toMatchObject({ status: 400, json: { code: 'e-apirl-0004' } })
    simulator.behaviour.rateLimited = { shape: 'nested', status: 429 }
    expect(await call('GET', PROFILE)).toMatchObject({
      status: 429,
      json: { data: { code: 'e-apirl-0004' } },
    })
  })
})
