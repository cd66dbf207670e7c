import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstox } from '../../lib/brokers/upstox.ts'
import { upstoxApproval } from '../../lib/brokers/upstox-approval.ts'
import type { SimulatorServer } from '../../lib/simulators/simulator-server.ts'
import { UpstoxSimulator } from '../../lib/simulators/upstox-simulator.ts'
import type { AccountId } from '../../lib/tokens/account-id.ts'
import { success } from '../support/login-world.ts'
import { Person } from '../support/person.ts'
import { World } from '../support/world.ts'

const APP = {
  clientId: '615b1297-0000-4000-8000-000000000001',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://tokens.example.invalid/callback/upstox',
}
const ONE = { userId: 'SIM001', name: 'SIM USER ONE' }
const TWO = { userId: 'SIM002', name: 'SIM USER TWO' }
const EXCHANGE = '/v2/login/authorization/token'
const REQUEST = '/v3/login/auth/token/request/'

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

  test('of somebody else changes nothing', async () => {
    await person.logIn()
    const before = await world.stored(account, 'access_token')
    world.clock.advance({ minutes: 1 })
    expect(await person.logIn({ user: TWO.userId })).toMatchObject({ code: 'wrong_account' })
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

describe('the approval in the Upstox app', () => {
  beforeEach(async () => {
    await person.logIn()
    world.clock.set('2026-11-24T08:00:00+05:30')
  })

  /** What Upstox posts to the notifier when the holder approves. */
  const posted = async (overrides: Record<string, unknown> = {}): Promise<void> => {
    const body = {
      client_id: APP.clientId,
      user_id: ONE.userId,
      access_token: simulator.accessTokenFor(ONE.userId),
      token_type: 'Bearer',
      issued_at: String(world.clock.now().epochMilliseconds),
      expires_at: String(world.clock.now().add({ hours: 19, minutes: 30 }).epochMilliseconds),
      message_type: 'access_token',
      ...overrides,
    }
    await person.desk.acceptApproval({ account, body })
  }
  const generation = async (): Promise<number | undefined> =>
    (await world.ports.states.get(account))?.generation

  test('is asked for with the app secret, waits until 03:30, and brings a proven token', async () => {
    success(await person.desk.requestApproval({ account }))
    expect((await world.ports.states.get(account))?.approval?.openUntil.toString()).toBe(
      '2026-11-24T22:00:00Z',
    )
    await posted()
    expect(await generation()).toBe(2)
  })

  test.each<[string, Record<string, unknown>]>([
    ['another message type', { message_type: 'order_update' }],
    ['another app', { client_id: '00000000-0000-4000-8000-00000000dead' }],
    ['another user', { user_id: 'SIM999' }],
    ['times in seconds', { issued_at: '1795000000', expires_at: '1795050000' }],
    ['numbers for times', { issued_at: 1_795_000_000_000 }],
    ['no token', { access_token: undefined }],
    ['another token type', { token_type: 'mac' }],
  ])('takes nothing that has %s', async (_, wrong) => {
    success(await person.desk.requestApproval({ account }))
    await posted(wrong)
    expect(await generation()).toBe(1)
  })

  test('does not take a token of another user under the name of this one', async () => {
    success(await person.desk.requestApproval({ account }))
    await posted({ access_token: simulator.accessTokenFor(TWO.userId) })
    expect(await generation()).toBe(1)
  })

  test('with a wrong app secret is the operator’s to mend, and leaves no webhook open', async () => {
    await world.store(account, { client_secret: 'wrong' })
    expect(await person.desk.requestApproval({ account })).toMatchObject({ code: 'client_rejected' })
    expect((await world.ports.states.get(account))?.approval).toBeUndefined()
  })

  test('may have been asked although the reply was lost: the webhook stays open for a while', async () => {
    server.failNext(REQUEST, { kind: 'lost_reply' })
    success(await person.desk.requestApproval({ account }))
    await posted()
    expect(await generation()).toBe(2)
  })

  test('is asked for three times a day and no more', async () => {
    for (let i = 0; i < 3; i++) {
      success(await person.desk.requestApproval({ account }))
      world.clock.advance({ minutes: 30 })
    }
    expect(await person.desk.requestApproval({ account })).toMatchObject({ code: 'rate_limited' })
    expect(simulator.approvalRequests).toBe(3)
  })
})

test('reads nothing out of a body that is no approval', () => {
  for (const body of [null, undefined, 1, 'x', [], {}, { message_type: 'access_token' }]) {
    expect(upstoxApproval.readWebhook(body)).toBeUndefined()
  }
})
