import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../lib/model/account-id.ts'
import { encodeAccountState } from '../../lib/model/account-state.ts'
import { RestWorld } from './support/rest-world.ts'

let world: RestWorld
let acc1: AccountId
let acc2: AccountId
let key: string

const newToken = (user = 'SIM001') => world.upstox.accessTokenFor(user)
const update = (body: unknown, path = '/token/update') => world.post(path, key, body)

beforeEach(async () => {
  world = await RestWorld.open()
  ;[acc1, acc2] = await world.upstoxAccounts()
  key = await world.key(['update'])
  world.clock.advance({ minutes: 1 })
})
afterEach(() => world.close())

/** Everything on record of the account, its published token included. */
async function present(account = acc1): Promise<unknown> {
  const { revision: _, ...record } = encodeAccountState(await world.record(account)) as { revision: number }
  return { record, token: await world.stored(account, 'access_token') }
}

describe('a token that is handed in', () => {
  test('R2.4 is proven with the broker and then published', async () => {
    const token = newToken()
    const probes = world.upstoxServer.count('/v2/user/profile')
    const { status, body, text } = await update({ access_token: token })
    expect(status).toBe(200)
    expect(body).toEqual({
      account_id: 'ACC1',
      account: 'upstox/ACC1',
      stored: true,
      expires_at: '2026-11-24T03:30:00+05:30',
      fingerprint: createHash('sha256').update(token).digest('hex').slice(0, 16),
      generation: 2,
      user_id: 'SIM001',
      covers_session: true,
    })
    expect(text).not.toContain(token)
    expect(world.upstoxServer.count('/v2/user/profile')).toBe(probes + 1)
    expect(await world.stored(acc1, 'access_token')).toBe(token)
    expect(await world.record(acc1)).toMatchObject({ generation: 2, accessToken: { source: 'given' } })
  })

  test('R2.4 is for the account of the path, or of the body, or for the one that stands for all', async () => {
    for (const [path, body] of [
      ['/accounts/ACC2/token/update', {}],
      ['/accounts/upstox/ACC2/token/update', { account_id: 'ACC2' }],
      ['/token/update', { account_id: 'ACC2' }],
      ['/token/update', { account_id: 'upstox/ACC2' }],
    ] as const) {
      const asked = await update({ access_token: newToken('SIM002'), ...body }, path)
      expect(asked).toMatchObject({ status: 200, body: { account: 'upstox/ACC2' } })
    }
    expect(await world.record(acc2)).toMatchObject({ generation: 5 })
    expect(await world.record(acc1)).toMatchObject({ generation: 1 })
  })

  test.each([
    ['2026-11-23T12:00:00+05:30', '2026-11-23T12:00:00+05:30'],
    ['2026-11-23T12:00:00', '2026-11-23T12:00:00+05:30'],
    [1_795_415_400, '2026-11-23T12:00:00+05:30'],
    ['1795415400000', '2026-11-23T12:00:00+05:30'],
    ['2027-01-01T00:00:00Z', '2026-11-24T03:30:00+05:30'],
  ])(
    'R2.4 may say that it dies at %j, which counts where it is earlier than the broker’s own word',
    async (given, ends) => {
      const account = await world.account('upstox/NEW', {})
      const body = { access_token: newToken(), expires_at: given, account_id: account }
      expect(await update(body)).toMatchObject({ status: 200, body: { expires_at: ends } })
    },
  )

  test('is on record as handed in, by which key, and nothing of it is', async () => {
    const token = newToken()
    await update({ access_token: token })
    const line = world.logs.find(({ message }) => message === 'an access token was handed in')
    expect(line?.fields).toMatchObject({ account: acc1, key: key.split('_')[1] })
    expect(world.said()).not.toContain(token)
  })
})

describe('R2.4 a token that is rejected is 422 and nothing has changed', () => {
  test('when the broker says it is dead', async () => {
    const token = newToken()
    world.upstox.killAccessToken('SIM001')
    const before = await present()
    expect(await update({ access_token: token })).toMatchObject({
      status: 422,
      body: { code: 'grant_rejected' },
    })
    expect(await present()).toEqual(before)
  })

  test('when it is no token of the broker', async () => {
    const before = await present()
    expect(await update({ access_token: 'SIMULATED.access.token' })).toMatchObject({ status: 422 })
    expect(await present()).toEqual(before)
  })

  test('when it is somebody else’s, whose user id is not told whole', async () => {
    const before = await present()
    const asked = await update({ access_token: newToken('SIM002') })
    expect(asked).toMatchObject({ status: 422, body: { code: 'wrong_account' } })
    expect(asked.text).not.toContain('SIM002')
    expect(await present()).toEqual(before)
  })

  test('when it has died by its own word, without a question to the broker', async () => {
    const token = world.upstox.accessTokenFor('SIM001', world.clock.now().add({ seconds: 30 }))
    world.clock.advance({ minutes: 1 })
    const probes = world.upstoxServer.seen.length
    expect(await update({ access_token: token })).toMatchObject({
      status: 422,
      body: { code: 'grant_rejected' },
    })
    expect(world.upstoxServer.seen.length).toBe(probes)
  })

  test('when it dies before the published one, unless an administrator forces it', async () => {
    const older = world.upstox.accessTokenFor('SIM001', world.clock.now().add({ hours: 2 }))
    const before = await present()
    expect(await update({ access_token: older })).toMatchObject({
      status: 422,
      body: { code: 'older_token' },
    })
    expect(await update({ access_token: older, force: true })).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope' },
    })
    expect(await present()).toEqual(before)
    const admin = await world.key(['update', 'admin'])
    expect((await world.post('/token/update', admin, { access_token: older, force: true })).status).toBe(200)
    expect(await world.stored(acc1, 'access_token')).toBe(older)
  })

  test('but one that dies earlier takes the place of a token the broker has refused', async () => {
    const older = world.upstox.accessTokenFor('SIM001', world.clock.now().add({ hours: 2 }))
    await world.change(acc1, { refusedVersion: 1 })
    expect((await update({ access_token: older })).status).toBe(200)
  })

  test.each([
    ['no token', {}, 'access_token'],
    ['an empty token', { access_token: '' }, 'access_token'],
    ['a sentence', { access_token: 'Invalid credentials, try again' }, 'access_token'],
    ['a token in a list', { access_token: ['SIMULATED-token'] }, 'access_token'],
    ['a token of 9 kB', { access_token: 'x'.repeat(9_000) }, 'access_token'],
    ['a token with a line break', { access_token: 'SIMULATED-token\n' }, 'access_token'],
    ['an expiry that is none', { access_token: 'SIMULATED-token', expires_at: 'soon' }, 'expires_at'],
    [
      'an expiry that has passed',
      { access_token: 'SIMULATED-token', expires_at: 1_000_000_000 },
      'expires_at',
    ],
    ['an expiry of another type', { access_token: 'SIMULATED-token', expires_at: { a: 1 } }, 'expires_at'],
    ['a force that is no yes or no', { access_token: 'SIMULATED-token', force: 'yes' }, 'force'],
    ['no object', [], ''],
  ])('when it is %s, with the field that is wrong and nothing of its value', async (_, body, field) => {
    const before = await present()
    const asked = await update(body)
    expect(asked.status).toBe(422)
    expect(asked.body).toMatchObject({
      code: 'invalid_request',
      errors: [{ field, message: expect.any(String) }],
    })
    expect(asked.text).not.toMatch(/SIMULATED|try again|xxxx/)
    expect(await present()).toEqual(before)
  })

  test('when path and body name two accounts', async () => {
    const before = [await present(acc1), await present(acc2)]
    const asked = await update(
      { access_token: newToken(), account_id: 'ACC2' },
      '/accounts/ACC1/token/update',
    )
    expect(asked).toMatchObject({ status: 422, body: { errors: [{ field: 'account_id' }] } })
    expect([await present(acc1), await present(acc2)]).toEqual(before)
  })
})

describe('an update that cannot be proven or recorded just now', () => {
  test('while another run holds the account it is 429 with the time to wait', async () => {
    const lease = { owner: 'another', until: world.clock.now().add({ seconds: 90 }) }
    await world.change(acc1, { lease })
    const asked = await update({ access_token: newToken() })
    expect(asked).toMatchObject({
      status: 429,
      body: { code: 'busy', title: 'Another run is at work on the account' },
    })
    expect(asked.headers.get('retry-after')).toBe('90')
  })

  test('a broker that cannot be asked is 503; nothing has changed but that the old token is in doubt', async () => {
    const before = (await present()) as { record: object }
    for (let tries = 0; tries < 4; tries++) {
      world.upstoxServer.failNext('/v2/user/profile', { kind: 'reply', status: 500, body: '' })
    }
    const since = world.clock.now().toString()
    expect((await update({ access_token: newToken() })).status).toBe(503)
    // Whoever minted the new one may have ended ours by that.
    const doubt = { by: 'given', since }
    expect(await present()).toEqual({ ...before, record: { ...before.record, doubt } })
  })

  test('the seventh of an account within a minute is 429, good or bad', async () => {
    for (let times = 0; times < 6; times++) await update({ access_token: 'SIMULATED.access.token' })
    const asked = await update({ access_token: newToken() })
    expect(asked).toMatchObject({ status: 429, body: { code: 'too_many_requests' } })
    expect((await update({ access_token: newToken('SIM002') }, '/accounts/ACC2/token/update')).status).toBe(
      200,
    )
  })
})
