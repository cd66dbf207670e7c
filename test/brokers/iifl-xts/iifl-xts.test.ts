import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { statusOf } from '../../../lib/accounts/account-status.ts'
import { iiflXts } from '../../../lib/brokers/iifl-xts/iifl-xts.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { AccountState } from '../../../lib/model/account-state.ts'
import { Secret } from '../../../lib/model/secret.ts'
import { HttpError } from '../../../lib/ports/http.ts'
import { IiflXtsSimulator } from '../../../lib/simulators/iifl-xts/iifl-xts-simulator.ts'
import { type Fault, HTML_200, HTML_502 } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { adoptAccessToken } from '../../../lib/tokens/service/adopt.ts'
import { validateAccessToken } from '../../../lib/tokens/service/validate.ts'
import { holdNext } from '../../support/held-request.ts'
import { recorded } from '../../support/recorded.ts'
import { World } from '../../support/world.ts'

const KEYS = [
  { product: 'interactive', appKey: 'SIMXTSAPPKEY', secretKey: 'S3CRET', userId: 'SIMUSER1' },
  { product: 'marketdata', appKey: 'SIMXTSMDKEY1', secretKey: 'S3CRET-OF-MD', userId: 'SIMUSER1' },
] as const
const LOGIN = '/interactive/user/session'
const PROFILE = '/interactive/user/profile'

/** A login reply whose token is none of the simulator's. */
const LOGGED_IN = JSON.stringify({
  type: 'success',
  code: 's-user-0001',
  result: { token: 'sim.xts.of-nobody', userID: 'SIMUSER1' },
})

let world: World
let simulator: IiflXtsSimulator
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = new World('2026-11-23T07:35:00+05:30')
  simulator = new IiflXtsSimulator(world.clock, KEYS)
  server = await world.serve(simulator)
  account = await world.account('iifl-xts', { client_id: 'SIMXTSAPPKEY', client_secret: 'S3CRET' })
})

afterEach(() => world.close())

const only = (options: { force?: boolean } = {}) => world.runOne(iiflXts, options)

function error(status: number, code: string, nested = false): Fault {
  const body = { type: 'error', code, description: 'SIM PROSE 7f3a', result: {} }
  return { kind: 'reply', status, body: JSON.stringify(nested ? { data: body } : body) }
}

/** Queues the same fault often enough for every repeat of a run. */
function always(path: string, fault: Fault): void {
  for (let i = 0; i < 12; i++) server.failNext(path, fault)
}

describe('a login with app key and secret', () => {
  test('publishes a token that the profile call proved, for the user the login named', async () => {
    expect(await only()).toMatchObject({ outcome: 'refreshed', userID: 'SIMUSER1' })
    expect(await world.stored(account, 'access_token')).toMatch(/^sim\.xts\./)
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `POST ${LOGIN}`,
      `GET ${PROFILE}`,
    ])
    expect(server.seen.every(({ userAgent }) => userAgent?.startsWith('tokenkeeper/'))).toBe(true)
  })

  test('sends the body of the README byte for byte', async () => {
    await only()
    expect(simulator.lastLoginBodySha256).toBe(
      'dc8db7a016d135000f00d1156d441d1eb70b844f75d806da444c58dcba7c4344',
    )
  })

  test('of market data uses its own routes, and the user is pinned all the same', async () => {
    const md = await world.account(
      'iifl-xts/md',
      { client_id: 'SIMXTSMDKEY1', client_secret: 'S3CRET-OF-MD' },
      { options: { api: 'marketdata' } },
    )
    const { report } = await world.run(iiflXts, { accounts: [md] })
    expect(report.results[0]).toMatchObject({ outcome: 'refreshed', userID: 'SIMUSER1' })
    // Proven by the login: no call to prove it with is documented.
    expect(server.seen.map(({ path }) => path)).toEqual(['/apimarketdata/auth/login'])
  })

  describe('market data, which has no call to prove a token with', () => {
    const LOGIN = '/apimarketdata/auth/login'
    let md: AccountId

    beforeEach(async () => {
      md = await world.account(
        'iifl-xts/md',
        { client_id: 'SIMXTSMDKEY1', client_secret: 'S3CRET-OF-MD' },
        { options: { api: 'marketdata' } },
      )
      await world.run(iiflXts, { accounts: [md] })
    })

    test('is asked nothing near the open, and costs no second login', async () => {
      world.clock.advance({ minutes: 80 })
      const { report } = await world.run(iiflXts, { accounts: [md] })
      expect(report.results).toMatchObject([{ outcome: 'fresh', live: true }])
      expect(server.seen.map(({ path }) => path)).toEqual([LOGIN])
    })

    test('says of it neither that a proof is due nor that one is coming', async () => {
      world.clock.advance({ minutes: 80 })
      const record = (await world.ports.states.get(md)) as AccountState
      const now = world.clock.now()
      expect(statusOf(iiflXts, record, now)).toMatchObject({ state: 'fresh', summary: 'live' })
      const doubted = { ...record, doubt: { since: now, by: 'credentials' } } as const
      expect(statusOf(iiflXts, doubted, now)).toMatchObject({
        state: 'unproven',
        nextAction: 'the next run gets a new one: nothing but its login proves a token here',
      })
    })

    test('logs in again for a token that a consumer was refused with', async () => {
      world.clock.advance({ minutes: 40 })
      const { generation = 0 } = (await world.ports.states.get(md)) ?? {}
      const { report } = await world.run(iiflXts, { accounts: [md], refused: { generation } })
      expect(report.results).toMatchObject([{ outcome: 'refreshed', live: true }])
      expect(server.count(LOGIN)).toBe(2)
    })

    test('takes no token from elsewhere, and gives no verdict on a stored one', async () => {
      const given = {
        broker: iiflXts,
        account: md,
        accessToken: new Secret('SIMULATED-this-is-no-token-at-all'),
      }
      const before = await world.ports.states.get(md)
      await expect(adoptAccessToken(given, world.ports)).rejects.toThrow('only its own login does')
      await expect(validateAccessToken(iiflXts, md, world.ports)).rejects.toThrow('only its own login does')
      expect(await world.ports.states.get(md)).toEqual(before)
    })

    test('of an unknown hand is replaced by a login of ours', async () => {
      world.clock.advance({ minutes: 40 })
      await world.store(md, { access_token: 'SIMULATED-of-an-unknown-hand' })
      const { report } = await world.run(iiflXts, { accounts: [md] })
      expect(report.results).toMatchObject([{ outcome: 'refreshed', live: true }])
      expect(server.count(LOGIN)).toBe(2)
    })
  })

  test('the option clientID goes into the profile call of a dealer account', async () => {
    const sent = recorded(world)
    const dealer = await world.account(
      'iifl-xts/dealer',
      { client_id: 'SIMXTSAPPKEY', client_secret: 'S3CRET' },
      { options: { clientID: 'SIM CLIENT' } },
    )
    await world.run(iiflXts, { accounts: [dealer] })
    expect(sent.at(-1)?.url).toMatch(/\/interactive\/user\/profile\?clientID=SIM\+CLIENT$/)
  })

  test('an unknown api option stops before anything is sent', async () => {
    const odd = await world.account(
      'iifl-xts/odd',
      { client_id: 'K', client_secret: 'S' },
      { options: { api: 'both' } },
    )
    const { report } = await world.run(iiflXts, { accounts: [odd] })
    expect(report.results[0]).toMatchObject({ outcome: 'failed', code: 'configuration_invalid' })
    expect(server.seen).toHaveLength(0)
  })

  test('a token of another user than the pinned one is not published', async () => {
    await only()
    const before = await world.stored(account, 'access_token')
    await world.store(account, { client_id: 'SIMXTSAPPKEY-OF-2', client_secret: 'S3CRET-TWO' })
    const other = new IiflXtsSimulator(world.clock, [
      { product: 'interactive', appKey: 'SIMXTSAPPKEY-OF-2', secretKey: 'S3CRET-TWO', userId: 'SIMUSER2' },
    ])
    await world.serve(other)
    world.clock.advance({ minutes: 2 })
    expect(await only({ force: true })).toMatchObject({
      outcome: 'failed',
      code: 'wrong_account',
      userID: 'SIMUSER1',
    })
    expect(await world.stored(account, 'access_token')).toBe(before)
  })
})

describe('the lifetime', () => {
  test('an opaque token counts as dead from 07:30 IST, so each trading day begins with a login', async () => {
    expect(await only()).toMatchObject({ tokenValidity: '2026-11-24T07:30:00+05:30' })
    world.clock.set('2026-11-23T09:00:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'fresh' })
    world.clock.set('2026-11-24T07:29:59+05:30')
    expect(await only()).toMatchObject({ outcome: 'fresh' })
    world.clock.set('2026-11-24T07:30:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'refreshed', tokenValidity: '2026-11-25T07:30:00+05:30' })
    expect(simulator.logins).toBe(2)
  })

  test("a JWT's exp is an upper bound", async () => {
    simulator.behaviour.tokens = 'jwt'
    expect(await only()).toMatchObject({ tokenValidity: '2026-11-23T23:59:00+05:30' })
    simulator.behaviour.death = { at: '07:00', timeZone: 'Asia/Kolkata' }
    world.clock.set('2026-11-24T06:59:00+05:30')
    expect(await only()).toMatchObject({ outcome: 'refreshed', tokenValidity: '2026-11-24T07:00:00+05:30' })
  })

  test('a stored token of somebody else is proven before it is used, and the pinned user stays', async () => {
    await only()
    await world.store(account, { access_token: simulator.tokenFor('interactive', 'SIMUSER1') })
    expect(await only()).toMatchObject({ outcome: 'refreshed', userID: 'SIMUSER1' })
    expect(simulator.logins).toBe(1)
  })

  test('a stored token that is dead is replaced by one login', async () => {
    await world.store(account, { access_token: simulator.tokenFor('interactive', 'SIMUSER1') })
    simulator.endSessions('interactive', 'SIMUSER1')
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(simulator.logins).toBe(1)
  })

  test('twenty runs at once log in once', async () => {
    const runs = await Promise.all(Array.from({ length: 20 }, () => only()))
    expect(simulator.logins).toBe(1)
    expect(runs.every(({ success }) => success)).toBe(true)
  })
})

describe('refused keys', () => {
  test.each([
    ['e-login-0001', 400],
    ['e-session-0007', 400],
    ['e-user-9999', 401],
  ])('%s with HTTP %i on login is the operator’s to fix and names no prose', async (code, status) => {
    server.failNext(LOGIN, error(status, code))
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'client_rejected' })
    expect(world.news).toMatchObject([{ kind: 'operator_action' }])
    expect(world.said()).toContain(code)
    expect(world.said()).not.toContain('7f3a')
  })

  test('are tried once a day and no more', async () => {
    await world.store(account, { client_secret: 'S3CRET-WRONG' })
    for (let hour = 0; hour < 5; hour++) {
      expect(await only()).toMatchObject({ code: 'client_rejected' })
      world.clock.advance({ hours: 1 })
    }
    expect(simulator.logins).toBe(1)
    world.clock.set('2026-11-24T07:30:00+05:30')
    await only()
    expect(simulator.logins).toBe(2)
    expect(world.news).toHaveLength(1)
  })

  test('corrected keys are tried at the next run, and the operator hears that it is over', async () => {
    await world.store(account, { client_secret: 'S3CRET-WRONG' })
    await only()
    world.clock.advance({ minutes: 2 })
    await world.store(account, { client_secret: 'S3CRET' })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(world.news.map(({ kind }) => kind)).toEqual(['operator_action', 'solved'])
  })

  test('the keys of the other product are refused', async () => {
    await world.store(account, { client_id: 'SIMXTSMDKEY1', client_secret: 'S3CRET-OF-MD' })
    expect(await only()).toMatchObject({ code: 'client_rejected' })
  })
})

describe('a fresh token the proof refuses', () => {
  test.each([
    ['e-session-0007', 400],
    ['e-session-0002', 400],
    ['e-session-0007', 401],
    ['e-token-0002', 400],
    ['e-session-0004', 400],
    ['e-novel-0001', 401],
  ])('%s with HTTP %i ends in one login and is the operator’s to fix', async (code, status) => {
    always(PROFILE, error(status, code))
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'client_rejected' })
    world.clock.advance({ minutes: 30 })
    await only()
    expect(simulator.logins).toBe(1)
    expect(await world.stored(account, 'access_token')).toBeUndefined()
  })

  test.each([
    ['502 for a while', HTML_502],
    ['429', { kind: 'reply', status: 429, body: '{}', headers: { 'retry-after': '90' } }],
  ] as const)(
    'a proof answered with %s is waited for: one login, however many runs it takes',
    async (_what, fault) => {
      for (let i = 0; i < (fault === HTML_502 ? 9 : 1); i++) server.failNext(PROFILE, fault)
      let result = await only()
      for (let i = 0; i < 3 && result?.['outcome'] !== 'refreshed'; i++) {
        world.clock.advance({ minutes: 2 })
        result = await only()
      }
      expect(result).toMatchObject({ outcome: 'refreshed', userID: expect.any(String) })
      expect(simulator.logins).toBe(1)
    },
  )

  test('an unknown code is reported and keeps what is stored', async () => {
    await only()
    const before = await world.stored(account, 'access_token')
    world.clock.set('2026-11-24T07:30:00+05:30')
    server.failNext(PROFILE, error(400, 'e-novel-0001'))
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'response_unexpected' })
    expect(await world.stored(account, 'access_token')).toBe(before)
  })
})

describe('rate limits', () => {
  test.each([
    ['top', 400],
    ['top', 429],
    ['nested', 400],
    ['nested', 429],
  ] as const)('e-apirl-0004 at %s level with HTTP %i is waited out for 60 s', async (shape, status) => {
    simulator.behaviour.rateLimited = { shape, status }
    const { report } = await world.run(iiflXts, { seconds: 100 })
    expect(report.results[0]).toMatchObject({ outcome: 'failed', code: 'rate_limited' })
    expect(server.seen).toHaveLength(1)
    simulator.behaviour.rateLimited = undefined
    world.clock.advance({ seconds: 61 })
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(world.news).toHaveLength(0)
  })

  test('logins keep a minute between them and stop at ten a day', async () => {
    for (let i = 0; i < 14; i++) {
      await only({ force: true })
      world.clock.advance({ minutes: 2 })
    }
    expect(simulator.logins).toBe(10)
  })
})

describe('passing faults page nobody', () => {
  test.each([
    ['an HTML 502', HTML_502],
    ['a JSON 500 with a code', error(500, 'e-server-0001')],
    ['a 503 that says success', { kind: 'reply', status: 503, body: LOGGED_IN } as const],
    ['a reset connection', { kind: 'reset' } as const],
    ['a lost reply', { kind: 'lost_reply' } as const],
  ])('%s at login is repeated after the minimum gap', async (_name, fault) => {
    server.failNext(LOGIN, fault)
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(server.count(LOGIN)).toBe(2)
    expect(world.news).toHaveLength(0)
  })

  test.each([
    ['an HTML 502', HTML_502],
    ['a 503 that says success', { kind: 'reply', status: 503, body: LOGGED_IN } as const],
  ])('%s at the proof is no proof and does not cost the new token', async (_name, fault) => {
    server.failNext(PROFILE, fault)
    expect(await only()).toMatchObject({ outcome: 'refreshed' })
    expect(simulator.logins).toBe(1)
    expect(server.count(PROFILE)).toBe(2)
  })

  test('a slow reply is waited for', async () => {
    const login = holdNext(server, LOGIN)
    const run = only()
    await login.arrived
    login.release()
    expect(await run).toMatchObject({ outcome: 'refreshed' })
    expect(simulator.logins).toBe(1)
  })
})

describe('a host that disappears is the operator’s to fix, clearly', () => {
  test.each([
    ['a 404 page', { kind: 'reply', status: 404, body: '<html>Not found</html>' }],
    ['an empty 404', { kind: 'reply', status: 404, body: '' }],
    ['a web page', HTML_200],
    [
      'a redirect',
      { kind: 'reply', status: 301, body: '', headers: { location: 'https://elsewhere.invalid/' } },
    ],
  ] as const)('%s', async (_name, fault) => {
    server.failNext(LOGIN, fault)
    expect(await only()).toMatchObject({ outcome: 'failed', code: 'configuration_invalid' })
    expect(world.news).toMatchObject([
      { kind: 'operator_action', action: expect.stringContaining('IIFL_XTS_API') },
    ])
  })

  test('a name DNS does not know, but not a DNS server that is out', async () => {
    const unresolved = (reason: string) =>
      world.failNext('http.send', { times: 'all', error: new HttpError(reason, { sent: false }) })
    const outage = unresolved('EAI_AGAIN')
    expect(await only()).toMatchObject({ code: 'broker_unavailable' })
    expect(world.news).toHaveLength(0)
    outage.stop()
    unresolved('ENOTFOUND')
    expect(await only()).toMatchObject({ code: 'configuration_invalid' })
    expect(world.news).toMatchObject([{ kind: 'operator_action' }])
  })
})

describe('a broken success', () => {
  test.each([
    ['result.token', { type: 'success', code: 's-user-0001', result: { token: '', userID: 'SIMUSER1' } }],
    ['result.userID', { type: 'success', code: 's-user-0001', result: { token: 'sim.xts.aaaaaaaa' } }],
  ])('without %s is reported by the name of the field', async (field, body) => {
    server.failNext(LOGIN, { kind: 'reply', status: 200, body: JSON.stringify(body) })
    expect(await only()).toMatchObject({
      code: 'response_unexpected',
      reason: expect.stringContaining(field),
    })
  })

  test('an error text in place of a token is not a token', async () => {
    const body = { type: 'success', code: 's-1', result: { token: 'please log in', userID: 'SIMUSER1' } }
    server.failNext(LOGIN, { kind: 'reply', status: 200, body: JSON.stringify(body) })
    expect(await only()).toMatchObject({ code: 'response_unexpected' })
    expect(server.count(PROFILE)).toBe(0)
  })
})

test('no key and no token is said anywhere', async () => {
  await only()
  const token = await world.stored(account, 'access_token')
  world.clock.set('2026-11-24T07:30:00+05:30')
  await world.store(account, { client_secret: 'S3CRET-WRONG' })
  await only()
  for (const secret of ['SIMXTSAPPKEY', 'S3CRET', token as string]) expect(world.said()).not.toContain(secret)
})
