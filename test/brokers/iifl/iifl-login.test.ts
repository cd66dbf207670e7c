import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { IiflSimulator } from '../../../lib/simulators/iifl/iifl-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { Person } from '../../support/person.ts'
import { World } from '../../support/world.ts'
import { ONE, SESSION } from './iifl-fixture.ts'

let world: World
let simulator: IiflSimulator
let server: SimulatorServer
let account: AccountId
let person: Person

/** Two clients of one app: whoever sits at the browser may be the wrong one. */
const OTHER = { ...ONE, clientId: 'IIFLTEST9', name: 'SIM USER NINE' }

beforeEach(async () => {
  world = new World('2026-11-23T08:00:00+05:30')
  simulator = new IiflSimulator(world.clock, [ONE, OTHER])
  server = await world.serve(simulator)
  account = await world.account(`iifl/${ONE.clientId}`, {
    user_id: ONE.clientId,
    client_id: ONE.appKey,
    client_secret: ONE.appSecret,
  })
  person = new Person(world, iifl, account)
})
afterEach(() => world.close())

describe('the documented login at IIFL', () => {
  test('carries our state inside the redirect URL, since IIFL knows none', async () => {
    const url = new URL(await person.begin())
    expect(url.searchParams.get('v')).toBe('1')
    expect(url.searchParams.get('appkey')).toBe(ONE.appKey)
    const back = new URL(url.searchParams.get('redirecturl') ?? '')
    expect(back.origin + back.pathname).toBe('https://tokens.example.invalid/callback/iifl')
    expect(back.searchParams.get('state')).not.toBe('')
  })

  test('ends in a proven session', async () => {
    expect((await person.logIn()).success).toBe(true)
    expect(await world.ports.states.get(account)).toMatchObject({ userId: ONE.clientId, generation: 1 })
  })

  test.each([
    ['authcode', 'clientid'],
    ['code', 'clientId'],
  ] as const)('reads %s and %s, as some clients have met them', async (code, clientId) => {
    simulator.behaviour.callback = { code, clientId }
    expect((await person.logIn()).success).toBe(true)
  })

  test('of another client is refused before its code is sent', async () => {
    expect(await person.logIn({ user: OTHER.clientId })).toMatchObject({
      success: false,
      code: 'wrong_account',
      reason: expect.stringContaining('II…T9'),
    })
    expect(server.count(SESSION)).toBe(0)
    expect(await world.stored(account, 'access_token')).toBeUndefined()
  })

  test('whose session turns out to be another client’s changes nothing', async () => {
    simulator.behaviour.profileClientId = OTHER.clientId
    expect(await person.logIn()).toMatchObject({ success: false, code: 'wrong_account' })
    expect(await world.stored(account, 'access_token')).toBeUndefined()
  })

  test('that was cancelled comes back without a code', async () => {
    expect(await person.logIn({ decision: 'refuse' })).toMatchObject({
      success: false,
      code: 'grant_rejected',
    })
    expect(server.count(SESSION)).toBe(0)
  })

  test('sends its code once, although the reply is lost', async () => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(SESSION, { kind: 'lost_reply' })
    expect(await person.comeBack(landed)).toMatchObject({ code: 'ambiguous' })
    await person.comeBack(landed)
    expect(server.count(SESSION)).toBe(1)
  })
})

describe('a refused session says what helps, and the code is not sent again', () => {
  const json = (status: string, message = ''): string => JSON.stringify({ status, message })

  test.each([
    [200, json('Not_Ok', 'Something went wrong'), 'grant_rejected', 'no session', 'app secret'],
    [200, json('EC054'), 'grant_rejected', 'EC054', 'app secret'],
    [200, json('Not_Ok', 'EC001: empty field'), 'grant_rejected', 'EC001', 'app secret'],
    [200, json('EC044'), 'grant_rejected', 'EC044', 'log in at IIFL'],
    [401, '{}', 'grant_rejected', 'no session', 'log in at IIFL'],
    [200, json('EC003'), 'ambiguous', 'counts as spent', 'log in again'],
    [500, json('EC923'), 'ambiguous', 'counts as spent', 'log in again'],
    [502, '<html>Bad Gateway</html>', 'ambiguous', 'counts as spent', 'log in again'],
    [200, '<html>Please enable JavaScript</html>', 'ambiguous', 'counts as spent', 'log in again'],
    [200, json('EC004'), 'human_action', 'EC004', 'unblock'],
    [200, json('EC055'), 'human_action', 'EC055', 'press Authorize once'],
    [200, json('EC080'), 'rate_limited', 'EC080', 'log in again in 15 min'],
    [429, json('Not_Ok'), 'rate_limited', 'throttles', 'log in again in 1 min'],
    [404, '<html>Not Found</html>', 'broker_unavailable', '404', 'log in again'],
    [200, json('Ok'), 'response_unexpected', 'userSession', 'report it'],
  ])('status %i with %s is %s', async (status, body, code, reason, fix) => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(SESSION, { kind: 'reply', status, body })
    expect(await person.comeBack(landed)).toMatchObject({
      success: false,
      code,
      reason: expect.stringContaining(reason),
      fix: expect.stringContaining(fix),
    })
    await person.comeBack(landed)
    expect(server.count(SESSION)).toBe(1)
    expect(await world.stored(account, 'access_token')).toBeUndefined()
  })
})

test('the redirect URL of the app is taken where one is stored, whatever its query', async () => {
  await world.store(account, { redirect_uri: 'https://example.invalid/cb?x=1' })
  const landed = await person.atBroker(await person.begin())
  expect(landed.href.startsWith('https://example.invalid/cb?x=1&state=')).toBe(true)
  expect((await person.comeBack(landed)).success).toBe(true)
})

test('a redirect URL that is none is named, not repeated', async () => {
  await world.store(account, { redirect_uri: 'example cb' })
  await expect(person.begin()).rejects.toThrow(/redirect_uri/)
  await expect(person.begin()).rejects.not.toThrow(/example cb/)
})

test.each([
  ['authCode=A&clientId=C', 'A', 'C'],
  ['authcode=A&clientid=C', 'A', 'C'],
  ['code=A', 'A', undefined],
  ['authCode=A&code=200', 'A', undefined],
  ['authCode=&code=A', 'A', undefined],
])('the redirect %j brings a code', (query, code, userId) => {
  const read = iifl.login.code.readCallback(new URLSearchParams(query))
  expect(read.code?.reveal()).toBe(code)
  expect(read.userId).toBe(userId)
})
