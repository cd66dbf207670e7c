import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstoxApproval } from '../../../lib/brokers/upstox/approval.ts'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { success } from '../../support/login-world.ts'
import { Person } from '../../support/person.ts'
import { World } from '../../support/world.ts'

const APP = {
  clientId: '615b1297-0000-4000-8000-000000000001',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://tokens.example.invalid/callback/upstox',
}
const ONE = { userId: 'SIM001', name: 'SIM USER ONE' }
const TWO = { userId: 'SIM002', name: 'SIM USER TWO' }
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
    await person.logins.acceptApproval({ account, body })
  }
  const generation = async (): Promise<number | undefined> =>
    (await world.ports.states.get(account))?.generation

  test('is asked for with the app secret, waits until 03:30, and brings a proven token', async () => {
    success(await person.logins.requestApproval({ account }))
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
    success(await person.logins.requestApproval({ account }))
    await posted(wrong)
    expect(await generation()).toBe(1)
  })

  test('does not take a token of another user under the name of this one', async () => {
    success(await person.logins.requestApproval({ account }))
    await posted({ access_token: simulator.accessTokenFor(TWO.userId) })
    expect(await generation()).toBe(1)
  })

  test('with a wrong app secret is the operator’s to mend, and leaves no webhook open', async () => {
    await world.store(account, { client_secret: 'wrong' })
    expect(await person.logins.requestApproval({ account })).toMatchObject({ code: 'client_rejected' })
    expect((await world.ports.states.get(account))?.approval).toBeUndefined()
  })

  const success200 = (expiry: string) =>
    ({
      kind: 'reply',
      status: 200,
      body: `{"status":"success","data":{"authorization_expiry":${expiry}}}`,
    }) as const
  const error = (code: string): string =>
    JSON.stringify({ status: 'error', errors: [{ error_code: code, message: 'x' }] })

  test.each([
    [401, error('UDAPI100069'), 'client_rejected', 'API key and secret'],
    [200, error('UDAPI100069'), 'client_rejected', 'API key and secret'],
    [401, error('UDAPI100073'), 'client_rejected', 'Upstox support'],
    [401, error('UDAPI100058'), 'human_action', 'reactivates'],
    [429, error('UDAPI10005'), 'rate_limited', 'or log in on the web'],
    [423, error('UDAPI100072'), 'rate_limited', 'or log in on the web'],
    [403, '<html>Error 1010</html>', 'client_rejected', 'User-Agent'],
    [404, '<html>Not Found</html>', 'broker_unavailable', 'ask again in a moment'],
  ])('refused with status %i and %s is %s, and leaves no webhook open', async (status, body, code, fix) => {
    server.failNext(REQUEST, { kind: 'reply', status, body })
    const refused = await person.logins.requestApproval({ account })
    expect(refused).toMatchObject({ code, fix: expect.stringContaining(fix) })
    expect((await world.ports.states.get(account))?.approval).toBeUndefined()
    await posted()
    expect(await generation()).toBe(1)
  })

  test.each([
    ['a lost reply', { kind: 'lost_reply' }],
    ['a server fault of Upstox’ own', { kind: 'reply', status: 500, body: error('UDAPI100500') }],
    ['a server fault with an unknown code', { kind: 'reply', status: 503, body: error('UDAPI999999') }],
    ['a success without its end', { kind: 'reply', status: 200, body: '{"status":"success","data":{}}' }],
    ['a success whose end is a number', success200('1795050000000')],
    ['a success whose end has passed', success200('"1732226400000"')],
    ['a fault of the gateway', { kind: 'reply', status: 502, body: '<html>Bad Gateway</html>' }],
  ] as const)(
    'may have reached the holder in spite of %s: what they approve still counts until 03:30',
    async (_, fault) => {
      server.failNext(REQUEST, fault)
      success(await person.logins.requestApproval({ account }))
      expect((await world.ports.states.get(account))?.approval?.openUntil.toString()).toBe(
        '2026-11-24T22:00:00Z',
      )
      world.clock.advance({ hours: 3 })
      await posted()
      expect(await generation()).toBe(2)
    },
  )

  test('is asked for again after half an hour and not before', async () => {
    success(await person.logins.requestApproval({ account }))
    world.clock.advance({ minutes: 29, seconds: 59 })
    expect(await person.logins.requestApproval({ account })).toMatchObject({ code: 'rate_limited' })
    world.clock.advance({ seconds: 1 })
    success(await person.logins.requestApproval({ account }))
    expect(simulator.approvalRequests).toBe(2)
  })

  test('is asked for three times a day and no more', async () => {
    for (let i = 0; i < 3; i++) {
      success(await person.logins.requestApproval({ account }))
      world.clock.advance({ minutes: 30 })
    }
    expect(await person.logins.requestApproval({ account })).toMatchObject({ code: 'rate_limited' })
    expect(simulator.approvalRequests).toBe(3)
  })
})

describe('what is posted to the notifier', () => {
  const BODY = {
    client_id: APP.clientId,
    user_id: 'SIM001',
    access_token: 'sim.access.jwt',
    token_type: 'Bearer',
    expires_at: '1731448800000',
    issued_at: '1731412800000',
    message_type: 'access_token',
  }

  test('is read as Upstox sends it, whatever else is in it', () => {
    const candidate = upstoxApproval.readWebhook({ ...BODY, extended_token: 'x', nested: { a: 1 } })
    expect(candidate).toMatchObject({ clientId: APP.clientId, userId: 'SIM001' })
    expect(candidate?.accessToken.reveal()).toBe('sim.access.jwt')
    expect(candidate?.issuedAt.toString()).toBe('2024-11-12T12:00:00Z')
    expect(candidate?.expiresAt.toString()).toBe('2024-11-12T22:00:00Z')
    expect(JSON.stringify(candidate)).not.toContain('sim.access.jwt')
  })

  const garbage: unknown[] = [null, undefined, true, 1, '', 'x', [], [BODY], {}, JSON.stringify(BODY)]
  test.each(garbage)('is nothing when it is %j', (body) => {
    expect(upstoxApproval.readWebhook(body)).toBeUndefined()
  })

  const fields = Object.keys(BODY)
  test.each(fields)('is nothing without %s', (field) => {
    expect(upstoxApproval.readWebhook({ ...BODY, [field]: undefined })).toBeUndefined()
  })
  test.each(fields)('is nothing when %s is no text', (field) => {
    for (const value of [null, 1, 1_731_412_800_000, {}, ['x'], true]) {
      expect(upstoxApproval.readWebhook({ ...BODY, [field]: value })).toBeUndefined()
    }
  })

  test.each([
    { message_type: 'order_update' },
    { token_type: 'mac' },
    { issued_at: '1731412800' },
    { issued_at: '1731412800000000' },
    { issued_at: '2024-11-12T12:00:00Z' },
    { expires_at: '-1731448800000' },
    { expires_at: '1.73e12' },
    { expires_at: ' 1731448800000' },
    { client_id: '' },
    { user_id: '' },
  ])('is nothing with %j', (wrong) => {
    expect(upstoxApproval.readWebhook({ ...BODY, ...wrong })).toBeUndefined()
  })
})
