import { afterEach, beforeEach, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { FYERS_APP, RestWorld } from './support/rest-world.ts'

const FROM = '2026-11-30T06:00:00+05:30'
const NEXT = 'log in at FYERS from Mon 30 Nov 06:00 IST on: tokenkeeper login fyers'

let world: RestWorld
let account: AccountId
let key: string

beforeEach(async () => {
  world = await RestWorld.open()
  const secrets = { client_id: FYERS_APP.clientId, client_secret: FYERS_APP.secret }
  account = await world.account('fyers', secrets)
  key = await world.key()
  // Asked for in the morning; now it is Friday evening.
  world.clock.set('2026-11-27T08:00:00+05:30')
  await world.run(fyers)
  world.clock.set('2026-11-27T20:00:00+05:30')
})
afterEach(() => world.close())

test('the status says from when on a login helps, and health counts nobody who waits for one', async () => {
  const { body } = await world.get('/accounts/fyers/token/status', key)
  expect(body).toMatchObject({
    state: 'missing',
    live: false,
    login_helps_from: FROM,
    next_action: NEXT,
    last_error: null,
  })
  const waiting = async () => (await world.get('/health')).body['accounts']
  expect(await waiting()).toMatchObject({ awaiting_login: 0, missing: 1 })
  world.clock.set('2026-11-30T06:00:00+05:30')
  expect(await waiting()).toMatchObject({ awaiting_login: 1, missing: 1 })
})

test.each(['/accounts/fyers/refresh', '/api/integration/tokens/refresh/fyers'])(
  'a program that asks for a token at %s is told who must act and from when, at once and without a wait for another run',
  async (path) => {
    const before = world.clock.now()
    const { status, body } = await world.post(path, key)
    expect(status).toBe(409)
    expect(body).toMatchObject({ code: 'awaiting_login', fix: NEXT, success: false, outcome: 'skipped' })
    expect(world.clock.now()).toEqual(before)
    expect(world.news).toHaveLength(1)
  },
)

test('a run over all accounts says that it was too early for one', async () => {
  const { status, body } = await world.post('/api/integration/tokens/refresh-all', key)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    success: true,
    message: '0 refreshed, 1 skipped (1 too early to log in), 0 failed of 1',
    results: [{ account, outcome: 'skipped', live: false, loginHelpsFrom: FROM, nextAction: NEXT }],
  })
})

test('there is no token to be read, and the problem says so as well', async () => {
  const token = async () => (await world.get('/accounts/fyers/token', key)).body
  expect(await token()).toMatchObject({ code: 'awaiting_login', status: 409, fix: NEXT })
  world.clock.set('2026-11-30T06:00:00+05:30')
  expect(await token()).toMatchObject({
    code: 'awaiting_login',
    fix: expect.stringMatching(/^open the login/),
  })
})

test('a token that is handed in says whether it sees the next session', async () => {
  const update = (expires_at?: string) =>
    world.post('/accounts/fyers/token/update', key, {
      access_token: world.fyers.accessTokenFor('XX00001'),
      ...(expires_at && { expires_at }),
    })
  expect((await update()).body).toMatchObject({ stored: true, covers_session: false })
  world.clock.set('2026-11-30T08:00:00+05:30')
  expect((await update()).body).toMatchObject({ stored: true, covers_session: true })
})
