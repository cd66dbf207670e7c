import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { simulatedJwt } from '../../../lib/simulators/kit/simulated-token.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import type { TokenServiceSimulator } from '../../../lib/simulators/token-service/token-service-simulator.ts'
import type { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { upstreamWorld } from '../../support/upstream-world.ts'
import type { World } from '../../support/world.ts'

const TOKEN = '/accounts/ACC1/token'
const REFRESH = '/accounts/ACC1/refresh'
const PROFILE = '/v2/user/profile'

let world: World
let broker: UpstoxSimulator
let brokerServer: SimulatorServer
let service: TokenServiceSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  ;({ world, broker, brokerServer, service, server, account } = await upstreamWorld())
})

afterEach(() => world.close())

const only = () => world.runOne(upstox, { accounts: [account] })
const published = (): Promise<string | undefined> => world.stored(account, 'access_token')

describe('a service that has nothing live to give', () => {
  beforeEach(() => service.script('ACC1', { token: ['expired'], refresh: ['expired'] }))

  test('means that a person must log in: asked once, tried again by each later run, told when it is over', async () => {
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    world.clock.set('2026-11-23T08:15:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    expect(server.count(REFRESH)).toBe(2)
    expect(world.news.map(({ kind }) => kind)).toEqual(['login_needed'])
    service.script('ACC1', {})
    world.clock.set('2026-11-23T08:30:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(world.news.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
  })

  test('R1.5 keeps what is published', async () => {
    service.script('ACC1', {})
    await only()
    const before = await published()
    service.script('ACC1', { token: ['error_text_as_token'], refresh: ['expired'] })
    world.clock.set('2026-11-25T08:00:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    expect(await published()).toBe(before)
  })

  test('is asked for a refresh at most once a minute and twenty times a day', async () => {
    world.clock.set('2026-11-23T00:00:00+05:30')
    for (let i = 0; i < 30; i++) {
      await only()
      world.clock.advance({ minutes: 6 })
    }
    expect(server.count(REFRESH)).toBe(20)
  })
})

describe('what the service answers instead', () => {
  test.each([
    [400, 'client_rejected', 'operator_action'],
    [422, 'client_rejected', 'operator_action'],
    [401, 'client_rejected', 'operator_action'],
    [403, 'client_rejected', 'operator_action'],
    [404, 'client_rejected', 'operator_action'],
    [409, 'human_action', 'human_action'],
    [423, 'human_action', 'human_action'],
  ])('%i is %s, told once and tried again by the next scheduled run', async (status, code, alert) => {
    for (const route of ['token', 'refresh'] as const) {
      service.script(
        'ACC1',
        route === 'token' ? { token: [{ status }] } : { token: ['expired'], refresh: [{ status }] },
      )
      expect(await only()).toMatchObject({ outcome: 'failed', code })
      world.clock.advance({ minutes: 15 })
    }
    expect(world.news.map(({ kind }) => kind)).toEqual([alert])
    service.script('ACC1', {})
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
  })

  test.each([500, 502, 503, 504])('%i heals itself within the run and pages nobody', async (status) => {
    service.script('ACC1', { token: [{ status }, 'current'] })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(world.news).toHaveLength(0)
  })

  test('a service that stays down fails the run, which keeps asking for a while, and pages nobody', async () => {
    service.script('ACC1', { token: [{ status: 503 }] })
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'broker_unavailable' })
    // Four reads within seconds, and twice more after the minute between two attempts.
    expect(server.count(TOKEN)).toBe(12)
    expect(world.news).toHaveLength(0)
  })

  test('a refresh without a usable token counts as a passing fault', async () => {
    service.script('ACC1', { token: ['without_token'], refresh: ['error_text_as_token', 'fresh'] })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(server.count(REFRESH)).toBe(2)
  })

  test('429 is obeyed for as long as Retry-After says', async () => {
    service.script('ACC1', { token: [{ status: 429, retryAfterSeconds: 90 }, 'current'] })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    const seconds = world.at('2026-11-23T08:00:00+05:30').until(world.clock.now()).total('seconds')
    expect(seconds).toBeGreaterThanOrEqual(90)
  })

  test('UDAPI10005 of Upstox, which throttles with HTTP 400 too, is obeyed for a minute', async () => {
    const body = '{"status":"error","errors":[{"error_code":"UDAPI10005"}]}'
    brokerServer.failNext(PROFILE, { kind: 'reply', status: 400, body })
    const { report } = await world.run(upstox, { accounts: [account], seconds: 50 })
    expect(report.results).toMatchObject([{ outcome: 'failed', code: 'rate_limited' }])
    expect((await world.ports.states.get(account))?.notBefore).toEqual(world.clock.now().add({ seconds: 60 }))
  })

  test('a redirect is not followed', async () => {
    server.failNext(TOKEN, {
      kind: 'reply',
      status: 302,
      body: '',
      headers: { location: 'http://127.0.0.1:1/' },
    })
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'response_unexpected' })
  })

  test('a service that is not there is tried again and spends nothing of the budget', async () => {
    world.ports = { ...world.ports, hosts: { ...world.ports.hosts, TOKEN_SERVICE: 'http://127.0.0.1:1' } }
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'broker_unavailable' })
    expect((await world.ports.states.get(account))?.attempts).toHaveLength(0)
    expect(world.news).toHaveLength(0)
  })
})

describe('a refresh whose reply is lost', () => {
  beforeEach(() => service.script('ACC1', { token: ['expired', 'current'] }))

  test('is settled by the token the service holds afterwards', async () => {
    server.failNext(REFRESH, { kind: 'lost_reply' })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(server.count(REFRESH)).toBe(1)
    expect(await published()).toBe(service.currentOf('ACC1'))
  })

  test('stays ambiguous while the token is the same, and the next run looks before it asks again', async () => {
    service.script('ACC1', {})
    await only()
    world.clock.set('2026-11-25T08:00:00+05:30')
    server.failNext(REFRESH, { kind: 'reset' })
    expect(await only()).toMatchObject({ outcome: 'ambiguous', code: 'ambiguous' })
    expect(server.count(REFRESH)).toBe(1)
    service.approve('ACC1')
    world.clock.advance({ minutes: 15 })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(server.count(REFRESH)).toBe(1)
  })

  test('stays ambiguous when nobody can say what the service holds', async () => {
    server.failNext(REFRESH, { kind: 'reset' })
    service.script('ACC1', { token: ['expired', { status: 503 }] })
    expect(await only()).toMatchObject({ outcome: 'ambiguous' })
  })
})

describe('tokens that must not be published', () => {
  test('another user’s token is wrong_account and changes nothing', async () => {
    await only()
    const before = await published()
    service.script('ACC1', { token: [{ tokenOf: 'ACC2' }] })
    world.clock.set('2026-11-25T08:00:00+05:30')
    service.approve('ACC2')
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'wrong_account', userID: 'SIM001' })
    expect(await published()).toBe(before)
    expect(world.news.map(({ kind }) => kind)).toEqual(['human_action'])
    service.script('ACC1', {})
    world.clock.advance({ minutes: 15 })
    expect(await only()).toMatchObject({ outcome: 'refreshed', userID: 'SIM001' })
  })

  test('a token without exp that its expires_at calls dead is not even proven', async () => {
    const opaque = simulatedJwt({ sub: 'SIM001' }, { issuedAt: world.clock.now() })
    const expired = JSON.stringify({ access_token: opaque, expires_at: '2026-11-23T03:30:00' })
    server.failNext(TOKEN, { kind: 'reply', status: 200, body: expired })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(brokerServer.count(PROFILE)).toBe(1)
    expect(await published()).not.toBe(opaque)
  })

  test('a profile without a user id proves nothing, and the missing field is named', async () => {
    brokerServer.failNext(PROFILE, { kind: 'reply', status: 200, body: '{"status":"success","data":{}}' })
    const result = await only()
    expect(result).toMatchObject({ outcome: 'failed', code: 'response_unexpected' })
    expect(result['reason']).toContain('data.user_id')
    expect(await published()).toBeUndefined()
  })

  test('no secret is said anywhere', async () => {
    service.script('ACC1', { refresh: [{ status: 423 }] })
    const token = service.currentOf('ACC1')
    broker.killAccessToken('SIM001')
    await only()
    expect(world.said()).not.toContain(token)
  })
})
