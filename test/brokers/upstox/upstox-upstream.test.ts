import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import {
  type ExpiresAtFormat,
  type ScriptedAnswer,
  TokenServiceSimulator,
} from '../../../lib/simulators/token-service/token-service-simulator.ts'
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

const only = (options?: { force: boolean }) => world.runOne(upstox, { accounts: [account], ...options })
const published = (): Promise<string | undefined> => world.stored(account, 'access_token')

describe('R2.5 a token is copied from the token service', () => {
  test('and proven against Upstox, once, before it is published', async () => {
    expect(await only()).toMatchObject({
      outcome: 'refreshed',
      userID: 'SIM001',
      tokenValidity: '2026-11-24T03:30:00+05:30',
    })
    expect(await published()).toBe(service.currentOf('ACC1'))
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET ${TOKEN}`])
    expect(brokerServer.count(PROFILE)).toBe(1)
  })

  test('R2.6 each account on its own: one bad account among three leaves the others live', async () => {
    await world.account('upstox/ACC2', {})
    await world.account('upstox/ACC3', {})
    service.script('ACC2', { token: [{ status: 404 }] })
    const { report } = await world.run(upstox)
    const outcomes = report.results.map(({ account, outcome, userID }) => `${account} ${outcome} ${userID}`)
    expect(outcomes.sort()).toEqual([
      'upstox/ACC1 refreshed SIM001',
      'upstox/ACC2 failed null',
      'upstox/ACC3 refreshed SIM003',
    ])
  })

  test('the default account is called "default" upstream, unless its option says otherwise', async () => {
    account = await world.account('upstox', {})
    expect(await only()).toMatchObject({ outcome: 'refreshed', userID: 'SIM001' })
    account = await world.account('upstox/mine', {}, { options: { upstreamAccountId: 'ACC2' } })
    expect(await only()).toMatchObject({ outcome: 'refreshed', userID: 'SIM002' })
    expect(server.seen.map(({ path }) => path)).toEqual(['/accounts/default/token', '/accounts/ACC2/token'])
  })

  test.each(['..', 'a/b', 'x'.repeat(65)])(
    'the upstream account "%s" is refused before any call',
    async (id) => {
      account = await world.account('upstox/mine', {}, { options: { upstreamAccountId: id } })
      expect(await only()).toMatchObject({ outcome: 'failed', code: 'configuration_invalid' })
      expect(server.seen).toHaveLength(0)
    },
  )

  test('the base URL may have a path prefix and a trailing slash', async () => {
    const prefixed = new TokenServiceSimulator(
      world.clock,
      { ACC1: () => broker.accessTokenFor('SIM001') },
      '/auth',
    )
    const { origin } = await world.serve(prefixed)
    world.ports = { ...world.ports, hosts: { ...world.ports.hosts, TOKEN_SERVICE: `${origin}/auth/` } }
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
  })

  test('a key is sent as a bearer where one is stored', async () => {
    service.behaviour.key = 'sim-service-key'
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'client_rejected' })
    await world.store(account, { password: 'sim-service-key' })
    world.clock.advance({ minutes: 15 })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(world.said()).not.toContain('sim-service-key')
  })
})

describe('the service is asked for a fresh token', () => {
  test.each<[string, ScriptedAnswer]>([
    ['the current one has expired', 'expired'],
    ['there is none', 'without_token'],
    ['it is empty', 'empty_token'],
    ['it is an error text', 'error_text_as_token'],
    ['it is an error text without a space', { token: 'unauthorized' }],
    ['the reply is HTML', 'html'],
  ])('when %s', async (_why, answer) => {
    service.script('ACC1', { token: [answer] })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(server.count(REFRESH)).toBe(1)
    expect(await published()).toBe(service.currentOf('ACC1'))
  })

  test('when Upstox says that the current one is dead', async () => {
    service.currentOf('ACC1')
    broker.killAccessToken('SIM001')
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(server.count(REFRESH)).toBe(1)
  })

  test('when it has only the token that is due, without proving that one again', async () => {
    await only()
    world.clock.set('2026-11-24T08:00:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'refreshed', tokenValidity: '2026-11-25T03:30:00+05:30' })
    expect(server.count(REFRESH)).toBe(1)
    expect(brokerServer.count(PROFILE)).toBe(2)
  })

  test('when it has only the token that Upstox refused in a probe', async () => {
    const token = service.currentOf('ACC1')
    broker.killAccessToken('SIM001')
    await world.store(account, { access_token: token })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(brokerServer.count(PROFILE)).toBe(2)
    expect(server.count(REFRESH)).toBe(1)
  })

  test('when a person forces it; a token that is still live is taken again rather than asking anybody', async () => {
    await only()
    service.script('ACC1', { refresh: ['current'] })
    world.clock.advance({ minutes: 5 })
    expect(await only({ force: true })).toMatchObject({ outcome: 'refreshed', reason: 'forced' })
    expect(server.count(REFRESH)).toBe(1)
    expect(world.alerts).toHaveLength(0)
  })
})

describe('the expiry', () => {
  test.each<ExpiresAtFormat>([
    'iso',
    'iso_naive',
    'epoch_seconds',
    'epoch_milliseconds',
    'epoch_seconds_text',
    'epoch_milliseconds_text',
    'absent',
  ])('is the same whether the service writes expires_at as %s or not at all', async (format) => {
    service.behaviour.expiresAt = format
    expect(await only()).toMatchObject({ tokenValidity: '2026-11-24T03:30:00+05:30' })
  })

  test('the token’s own exp wins over an expires_at more than a minute away', async () => {
    service.behaviour.expiresAtOffBySeconds = -7200
    expect(await only()).toMatchObject({ tokenValidity: '2026-11-24T03:30:00+05:30' })
  })

  test('within a minute the earlier one counts', async () => {
    service.behaviour.expiresAtOffBySeconds = -30
    expect(await only()).toMatchObject({ tokenValidity: '2026-11-24T03:29:30+05:30' })
  })
})

describe('many at once and over many days', () => {
  test('fifty runs at the same moment are one sequence at the service', async () => {
    await only()
    world.clock.set('2026-11-24T08:00:00+05:30')
    const before = server.seen.length
    const results = await Promise.all(Array.from({ length: 50 }, () => only()))
    expect(server.seen.slice(before).map(({ path }) => path)).toEqual([TOKEN, REFRESH])
    expect(results.filter(({ outcome }) => outcome === 'refreshed')).toHaveLength(1)
    expect(results.every(({ success }) => success)).toBe(true)
  })

  test('R1.3 with rate(6 hours) and a leeway of 24 h there is one refresh a day, not one a run', async () => {
    account = await world.account('upstox/ACC2', {}, { leewayMinutes: 24 * 60 })
    const outcomes: unknown[] = []
    for (let run = 0; run < 16; run++) {
      outcomes.push((await only())['outcome'])
      world.clock.advance({ hours: 6 })
    }
    const day = ['refreshed', 'fresh', 'fresh', 'fresh']
    expect(outcomes).toEqual([...day, ...day, ...day, ...day])
    expect(server.count('/accounts/ACC2/refresh')).toBe(3)
    expect(world.alerts).toHaveLength(0)
  })

  test.each([
    ['2026-11-30T08:00:00+05:30', '2026-12-01T03:30:00+05:30', '2026-12-02T03:30:00+05:30'],
    ['2026-12-31T08:00:00+05:30', '2027-01-01T03:30:00+05:30', '2027-01-02T03:30:00+05:30'],
  ])('R2.9 from %s the 08:00 runs cross the end of month and year', async (start, first, second) => {
    world.clock.set(start)
    expect(await only()).toMatchObject({ outcome: 'refreshed', tokenValidity: first })
    world.clock.advance({ hours: 24 })
    expect(await only()).toMatchObject({ outcome: 'refreshed', tokenValidity: second })
  })

  test('without the host there is no upstream: a person is asked', async () => {
    const { TOKEN_SERVICE: _none, ...hosts } = world.ports.hosts
    world.ports = { ...world.ports, hosts }
    expect(await only()).toMatchObject({ outcome: 'awaiting_login' })
    expect(server.seen).toHaveLength(0)
  })
})
