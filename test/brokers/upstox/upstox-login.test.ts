import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { Person } from '../../support/person.ts'
import { World } from '../../support/world.ts'

const APP = {
  clientId: '615b1297-0000-4000-8000-000000000001',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://tokens.example.invalid/callback/upstox',
}
const ONE = { userId: 'SIM001', name: 'SIM USER ONE' }
const TWO = { userId: 'SIM002', name: 'SIM USER TWO' }
const EXCHANGE = '/v2/login/authorization/token'

let world: World
let simulator: UpstoxSimulator
let server: SimulatorServer
let account: AccountId
let person: Person

beforeEach(async () => {
  world = new World('2026-11-23T08:00:00+05:30')
  simulator = new UpstoxSimulator(world.clock, APP, [ONE, TWO])
  server = await world.serve(simulator)
  account = await world.account('upstox', { client_id: APP.clientId, client_secret: APP.secret })
  person = new Person(world, upstox, account)
})
afterEach(() => world.close())

describe('the web login at Upstox', () => {
  test('ends in a token that is proven and dies at 03:30, whatever expires_in says', async () => {
    simulator.behaviour.extraFields = true
    expect((await person.logIn()).success).toBe(true)
    const record = await world.ports.states.get(account)
    expect(record).toMatchObject({ userId: 'SIM001', clientName: 'SIM USER ONE' })
    expect(record?.accessToken?.expiresAt.toString()).toBe('2026-11-23T22:00:00Z')
    expect(await world.stored(account, 'refresh_token')).toBeUndefined()
  })

  test('sends its code once, although the exchange fails: Upstox spends it at first sight', async () => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(EXCHANGE, { kind: 'reply', status: 500, body: '' })
    expect(await person.comeBack(landed)).toMatchObject({ success: false })
    await person.comeBack(landed)
    expect(server.count(EXCHANGE)).toBe(1)
  })

  test.each([
    ['UDAPI100057', 'grant_rejected', 'spent', 'log in'],
    ['UDAPI100069', 'client_rejected', 'refuses the app', 'API key and secret'],
    ['UDAPI100070', 'client_rejected', 'refuses the app', 'redirect URI'],
    ['UDAPI100058', 'human_action', 'no active segment', 'reactivates'],
    ['UDAPI100500', 'grant_rejected', 'reply was lost', 'log in'],
    ['UDAPI10005', 'rate_limited', 'throttles', 'log in again in 1 min'],
  ])('%s is %s', async (errorCode, code, reason, fix) => {
    const landed = await person.atBroker(await person.begin())
    const body = JSON.stringify({ status: 'error', errors: [{ errorCode, message: 'x' }] })
    server.failNext(EXCHANGE, { kind: 'reply', status: 401, body })
    expect(await person.comeBack(landed)).toMatchObject({
      code,
      reason: expect.stringContaining(reason),
      fix: expect.stringContaining(fix),
    })
  })

  test('whose reply was lost has spent its code, and begins anew', async () => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(EXCHANGE, { kind: 'lost_reply' })
    expect(await person.comeBack(landed)).toMatchObject({ code: 'ambiguous', fix: 'log in again' })
    await person.comeBack(landed)
    expect(server.count(EXCHANGE)).toBe(1)
    world.clock.advance({ seconds: 1 })
    expect((await person.logIn()).success).toBe(true)
  })

  test('is refused by what the body says, also under status 200', async () => {
    const landed = await person.atBroker(await person.begin())
    const body = JSON.stringify({ status: 'error', errors: [{ error_code: 'UDAPI100057' }] })
    server.failNext(EXCHANGE, { kind: 'reply', status: 200, body })
    expect(await person.comeBack(landed)).toMatchObject({
      code: 'grant_rejected',
      fix: 'log in at Upstox again',
    })
  })

  test('that succeeds without a token is a changed contract', async () => {
    const landed = await person.atBroker(await person.begin())
    server.failNext(EXCHANGE, { kind: 'reply', status: 200, body: '{"user_id":"SIM001"}' })
    expect(await person.comeBack(landed)).toMatchObject({
      code: 'response_unexpected',
      reason: expect.stringContaining('access_token'),
    })
  })

  test('of somebody else changes nothing', async () => {
    await person.logIn()
    const before = await world.stored(account, 'access_token')
    world.clock.advance({ minutes: 1 })
    expect(await person.logIn({ user: TWO.userId })).toMatchObject({ code: 'wrong_account' })
    // The reply itself says whose token it is: it is not even shown to Upstox.
    expect(server.count('/v2/user/profile')).toBe(1)
    expect(await world.stored(account, 'access_token')).toBe(before)
  })

  test('cancelled there says so', async () => {
    expect(await person.logIn({ decision: 'refuse' })).toMatchObject({
      code: 'grant_rejected',
      reason: expect.stringContaining('access_denied'),
    })
  })

  test('is not begun for an account without an app of its own, such as one of a token service', async () => {
    const bare = await world.account('upstox/ACC1', {})
    await expect(new Person(world, upstox, bare).begin()).rejects.toThrow('client_id')
  })
})
