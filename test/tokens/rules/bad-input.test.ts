import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { AccountResult } from '../../../lib/model/outcome.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import { simulatedJwt } from '../../../lib/simulators/kit/simulated-token.ts'
import { HTML_200, HTML_502, type SimulatedFault } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { clockAhead } from '../../support/clock-ahead.ts'
import { World } from '../../support/world.ts'

const APP = { clientId: 'ABCDEFGH12-100', secret: 'S3CRET-FYERS-APP' }
const REFRESH = '/api/v3/validate-refresh-token'
const PROFILE = '/api/v3/profile'
/** A hang ends here instead of at the adapter's own limit, which would hold up the tests. */
const SHORT_TIMEOUT_MS = 150

let world: World
let simulator: FyersSimulator
let server: SimulatorServer
/** The account that meets bad input, and one that must not notice. */
let bad: AccountId
let good: AccountId

beforeEach(async () => {
  world = new World('2026-11-23T07:00:00+05:30')
  simulator = new FyersSimulator(world.clock, APP, [
    { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' },
    { fyId: 'XX00002', name: 'SIM USER TWO', pin: '0413' },
  ])
  server = await world.serve(simulator)
  const secrets = (fyId: string, pin: string) => ({
    client_id: APP.clientId,
    client_secret: APP.secret,
    pin,
    refresh_token: simulator.refreshTokenFor(fyId),
    access_token: simulator.accessTokenFor(fyId),
  })
  bad = await world.account('fyers/a-bad', secrets('XX00001', '0412'))
  good = await world.account('fyers/b-good', secrets('XX00002', '0413'))
  await world.run(fyers)
  // The next day both tokens are dead and a refresh is due.
  world.clock.set('2026-11-25T07:00:00+05:30')
})

afterEach(() => world.close())

/** The bad account's result; the good one must have been refreshed, whatever the run did about the bad one. */
async function badResult(): Promise<AccountResult> {
  const { report } = await world.run(fyers)
  const [first, second] = report.results
  expect(second).toMatchObject({ account: good, outcome: 'refreshed' })
  return first as AccountResult
}

/** From now on the broker answers each refresh of the bad account like this, and those of the good one as ever. */
async function failRefreshesOfBad(fault: SimulatedFault): Promise<void> {
  const { http } = world.ports
  const badToken = (await world.stored(bad, 'refresh_token')) as string
  world.ports = {
    ...world.ports,
    http: {
      send: (request) => {
        if (!request.body?.includes(badToken)) return http.send(request)
        server.failNext(REFRESH, fault)
        return http.send({ ...request, timeoutMs: Math.min(request.timeoutMs, SHORT_TIMEOUT_MS) })
      },
    },
  }
}

/** Whatever happened, the bad account's stored values are as they were. */
async function keepsWhatIsStored(act: () => Promise<AccountResult>): Promise<AccountResult> {
  const names = ['access_token', 'refresh_token', 'pin', 'client_id'] as const
  const before = await Promise.all(names.map((name) => world.stored(bad, name)))
  const result = await act()
  expect(await Promise.all(names.map((name) => world.stored(bad, name)))).toEqual(before)
  return result
}

describe('replies of the broker', () => {
  const broken: readonly (readonly [string, SimulatedFault, Partial<AccountResult>])[] = [
    ['HTML with status 200', HTML_200, { code: 'broker_unavailable' }],
    ['HTML with status 502', HTML_502, { code: 'broker_unavailable' }],
    ['truncated JSON', { kind: 'truncated' }, { code: 'broker_unavailable' }],
    ['an empty body', { kind: 'reply', status: 200, body: '' }, { code: 'broker_unavailable' }],
    ['a reset connection', { kind: 'reset' }, { code: 'broker_unavailable' }],
    [
      'a redirect to another host',
      { kind: 'reply', status: 302, body: '', headers: { location: 'http://127.0.0.1:9/steal' } },
      { code: 'response_unexpected' },
    ],
    [
      '200 with an error body',
      { kind: 'reply', status: 200, body: '{"s":"error","code":-96}' },
      { code: 'broker_unavailable' },
    ],
    [
      'ok without a token',
      { kind: 'reply', status: 200, body: '{"s":"ok","code":200}' },
      { code: 'response_unexpected' },
    ],
    [
      'a token that is no text',
      { kind: 'reply', status: 200, body: '{"s":"ok","access_token":17}' },
      { code: 'response_unexpected' },
    ],
    [
      'JSON of another shape',
      { kind: 'reply', status: 200, body: '[1,2,3]' },
      { code: 'response_unexpected' },
    ],
  ]

  test.each(broken)(
    '%s gives a clear outcome, keeps what is stored, and the other account goes on',
    async (_, fault, expected) => {
      await failRefreshesOfBad(fault)
      const result = await keepsWhatIsStored(badResult)
      expect(result).toMatchObject({ outcome: 'failed', success: false, ...expected })
      expect(result.nextAction).not.toBe('')
    },
  )

  test('a hang of three minutes ends at our time limit', async () => {
    await failRefreshesOfBad({ kind: 'hang' })
    const result = await keepsWhatIsStored(badResult)
    expect(result).toMatchObject({ outcome: 'failed', code: 'broker_unavailable' })
    expect(result.reason).toContain('TIMEOUT')
  })

  test('a broker that cannot be reached costs no attempt of the login budget', async () => {
    const hosts = world.ports.hosts
    world.ports = { ...world.ports, hosts: { FYERS_API: 'http://127.0.0.1:9' } }
    const { report } = await world.run(fyers, { accounts: [bad] })
    expect(report.results).toMatchObject([{ outcome: 'failed', code: 'broker_unavailable' }])
    expect((await world.ports.states.get(bad))?.attempts).toEqual([])
    world.ports = { ...world.ports, hosts }
    expect((await world.run(fyers, { accounts: [bad] })).report.refreshed).toBe(1)
  })

  test('an access token that is already dead by its own exp is not published', async () => {
    const dead = simulatedJwt(
      {},
      { issuedAt: world.clock.now(), expiresAt: world.clock.now().subtract({ hours: 1 }) },
    )
    server.failNext(REFRESH, {
      kind: 'reply',
      status: 200,
      body: JSON.stringify({ s: 'ok', access_token: dead }),
    })
    const result = await keepsWhatIsStored(badResult)
    expect(result).toMatchObject({ outcome: 'failed', code: 'response_unexpected' })
    expect(result.nextAction).toContain('check the clock')
  })

  test('a garbage JWT that the broker does not accept is not published', async () => {
    server.failNext(REFRESH, {
      kind: 'reply',
      status: 200,
      body: '{"s":"ok","access_token":"garbage.garbage.garbage"}',
    })
    expect(await keepsWhatIsStored(badResult)).toMatchObject({ outcome: 'awaiting_login' })
  })
})

describe('stored credentials', () => {
  test('R4.8 a missing one is named, with the command that stores it', async () => {
    await world.ports.vault.remove(bad, 'client_secret')
    const result = await badResult()
    expect(result).toMatchObject({ outcome: 'failed', code: 'configuration_invalid' })
    expect(result.reason).toBe('not stored: client_secret')
    expect(result.nextAction).toContain('tokenkeeper setup fyers')
    expect(world.alerts).toMatchObject([{ kind: 'operator_action', account: bad }])
  })

  test.each([
    ['pin', '12', 'four digits'],
    ['client_id', 'NOSUFFIX', 'suffix'],
  ] as const)('R3.10 R4.8 a malformed %s is named, never shown', async (name, value, hint) => {
    await world.store(bad, { [name]: value })
    const result = await badResult()
    expect(result).toMatchObject({ outcome: 'failed', code: 'configuration_invalid' })
    expect(result.reason).toContain(name)
    expect(result.reason).toContain(hint)
    expect(JSON.stringify(result)).not.toContain(value === '12' ? '"12"' : value)
    expect(server.count(REFRESH)).toBe(1)
  })
})

describe('our own clock', () => {
  test('a clock a day ahead is found by the broker’s Date header and nothing is published', async () => {
    world.ports = { ...world.ports, clock: clockAhead(world.clock, { hours: 24 }) }
    const before = await world.stored(bad, 'access_token')
    const { report } = await world.run(fyers, { accounts: [bad], seconds: 840 + 86_400 })
    expect(report.results[0]).toMatchObject({ outcome: 'failed' })
    expect(await world.stored(bad, 'access_token')).toBe(before)
    expect(world.logs).toContainEqual(
      expect.objectContaining({ message: 'this clock differs from the broker' }),
    )
    expect(world.counts.get('fyers ClockDriftSeconds')).toBeGreaterThan(80_000)
  })
})

describe('our own services', () => {
  test('SSM throttled on reading gives vault_read, and the other account goes on', async () => {
    world.failNext('vault.read', { times: 'all', only: (account) => account === bad })
    expect(await badResult()).toMatchObject({ outcome: 'failed', code: 'vault_read' })
  })

  test('SSM throttled on writing gives vault_write and keeps the old token', async () => {
    world.failNext('vault.write', { times: 'all', only: (account) => account === bad })
    expect(await keepsWhatIsStored(badResult)).toMatchObject({ outcome: 'failed', code: 'vault_write' })
    expect(world.alerts).toHaveLength(0)
  })

  test('a state record that cannot be written gives state, and no login is spent', async () => {
    world.failNext('states.replace', { times: 'all', only: ({ account }) => account === bad })
    expect(await keepsWhatIsStored(badResult)).toMatchObject({ outcome: 'failed', code: 'state' })
    expect(simulator.refreshes).toBe(1)
  })

  test('an alert that SNS refuses changes nothing about the outcome', async () => {
    world.failNext('notifier.notify', { times: 'all', error: new Error('refused') })
    await world.store(bad, { refresh_token: 'sim.unknown.refresh.token' })
    expect(await badResult()).toMatchObject({ outcome: 'awaiting_login' })
    expect(world.counts.get('fyers NotifyFailed')).toBe(1)
  })

  test('a bug of ours is one account’s failed run, told by its kind and without its text', async () => {
    const broken = {
      ...fyers,
      grants: [
        {
          ...fyers.grants[0],
          renew: async () => {
            throw new TypeError(`cannot read ${APP.secret}`)
          },
        },
      ],
    }
    const { report } = await world.run(broken, { accounts: [bad] })
    expect(report.results).toMatchObject([{ outcome: 'failed', reason: 'an unforeseen fault (TypeError)' }])
    expect(world.said()).not.toContain(APP.secret)
  })
})

describe('a profile call that fails', () => {
  test.each([HTML_502, { kind: 'reset' } as const])(
    'is repeated, since reads are free (%#)',
    async (fault) => {
      server.failNext(PROFILE, fault)
      expect(await badResult()).toMatchObject({ outcome: 'refreshed' })
      expect(simulator.refreshes).toBe(2)
    },
  )
})
