import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { iiflXts } from '../../../lib/brokers/iifl-xts/iifl-xts.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { HttpError } from '../../../lib/ports/http.ts'
import type { IiflXtsSimulator } from '../../../lib/simulators/iifl-xts/iifl-xts-simulator.ts'
import { HTML_200, HTML_502, type SimulatedFault } from '../../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { holdNext } from '../../support/held-request.ts'
import type { World } from '../../support/world.ts'
import { error, LOGIN, PROFILE, type XtsSetting, xtsSetting } from './iifl-xts-fixture.ts'

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
let only: XtsSetting['only']

beforeEach(async () => {
  ;({ world, simulator, server, account, only } = await xtsSetting())
})

afterEach(() => world.close())

/** Queues the same fault often enough for every repeat of a run. */
function always(path: string, fault: SimulatedFault): void {
  for (let i = 0; i < 12; i++) server.failNext(path, fault)
}

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
