import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configured } from '../../../lib/brokers/configured.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { clockAhead } from '../../support/clock-ahead.ts'
import { loginbroker } from '../../support/login-broker.ts'
import { LoginWorld, success } from '../../support/login-world.ts'

let world: LoginWorld
let account: AccountId

beforeEach(async () => {
  world = await LoginWorld.open('2026-11-23T05:00:00+05:30')
  account = await world.loginAccount()
  await world.logIn(account)
  // The token of that login is dead the next morning.
  world.clock.set('2026-11-24T07:40:00+05:30')
  await world.ports.vault.remove(account, 'refresh_token')
})
afterEach(() => world.close())

const post = (body: unknown): Promise<void> => world.logins.acceptApproval({ account, body })

describe('an approval that was asked for', () => {
  beforeEach(async () => {
    success(await world.logins.requestApproval({ account }))
  })

  test('is proven and published', async () => {
    await post(world.simulator.webhookOf('SIM001'))
    const record = await world.record(account)
    expect(record).toMatchObject({ generation: 2, last: { outcome: 'refreshed' } })
    expect(record.accessToken?.source).toBe('approval')
    expect(record.approval?.approvedAt).toBeDefined()
    expect(record.authorizedAt?.toString()).toBe('2026-11-24T02:10:00Z')
  })

  test('counts once: a duplicate finds the webhook closed', async () => {
    const body = world.simulator.webhookOf('SIM001')
    await post(body)
    const after = JSON.stringify(await world.record(account))
    await post(body)
    await post(world.simulator.webhookOf('SIM001'))
    expect(JSON.stringify(await world.record(account))).toBe(after)
  })

  test.each<[string, Record<string, unknown>]>([
    ['another app', { app: 'OTHER-APP' }],
    ['another user', { user: 'SIM999' }],
    ['a token issued before the request', { issued: '2026-11-24T01:00:00Z' }],
    ['a token from the future', { issued: '2026-11-24T12:00:00Z' }],
    ['an expired token', { expires: '2026-11-24T02:00:00Z' }],
    ['no token', { token: 'x' }],
    ['a missing field', { user: undefined }],
  ])('is not what names %s: nothing changes', async (_, wrong) => {
    const before = JSON.stringify(await world.record(account))
    await post(world.simulator.webhookOf('SIM001', wrong))
    expect(JSON.stringify(await world.record(account))).toBe(before)
  })

  test.each([null, 'text', 42, [], {}, { app: {} }])('is not garbage such as %j', async (garbage) => {
    const before = JSON.stringify(await world.record(account))
    await post(garbage)
    expect(JSON.stringify(await world.record(account))).toBe(before)
  })

  test('is not a dead token, nor another user’s live one under the right name; the real one still counts', async () => {
    await post(world.simulator.webhookOf('SIM001', { token: 'a-dead-but-plausible-token' }))
    const stranger = world.simulator.openFamily('SIM999').access
    await post(world.simulator.webhookOf('SIM001', { token: stranger }))
    expect(await world.record(account)).toMatchObject({ generation: 1, userId: 'SIM001' })
    await post(world.simulator.webhookOf('SIM001'))
    expect((await world.record(account)).generation).toBe(2)
  })

  test('counts once when two arrive together: the second finds it answered when its turn comes', async () => {
    const open = await world.record(account)
    await post(world.simulator.webhookOf('SIM001'))
    const { states } = world.ports
    const looks = [open]
    const get: typeof states.get = async (id) => looks.shift() ?? states.get(id)
    world.ports = { ...world.ports, states: { ...states, get } }
    await post(world.simulator.webhookOf('SIM001'))
    expect(looks).toEqual([])
    const { generation, approval } = await world.record(account)
    expect([generation, approval?.tried]).toEqual([2, 1])
  })

  test('tries five posted tokens at the broker and no more', async () => {
    for (let i = 0; i < 9; i++)
      await post(world.simulator.webhookOf('SIM001', { token: `guess-number-${i}` }))
    expect((await world.record(account)).approval?.tried).toBe(5)
  })

  test('tells nobody a token, a code or a name of the body', async () => {
    const body = world.simulator.webhookOf('SIM001', { user: 'CANARY-USER' })
    await post(body)
    expect(world.said()).not.toContain('CANARY-USER')
    expect(world.said()).not.toContain(body['token'])
  })

  test('is not asked for again within the budget', async () => {
    const again = await world.logins.requestApproval({ account })
    expect(again).toMatchObject({ refused: true, code: 'rate_limited' })
    expect(world.simulator.approvalsAsked).toBe(1)
  })
})

describe.each([6, -6])('with our clock %i minutes ahead of the broker’s', (minutes) => {
  beforeEach(async () => {
    world.ports = { ...world.ports, clock: clockAhead(world.clock, { minutes }) }
    success(await world.logins.requestApproval({ account }))
  })

  test('an approval counts: its times are held against the broker’s clock', async () => {
    const { approval } = await world.record(account)
    expect(approval?.driftSeconds).toBe(-60 * minutes)
    // Two hours by the broker's clock, as ours will show it.
    expect(approval?.openUntil.toString()).toBe(
      world.clock
        .now()
        .add({ minutes: 120 + minutes })
        .toString(),
    )
    await post(world.simulator.webhookOf('SIM001'))
    expect((await world.record(account)).generation).toBe(2)
  })

  test.each(['2026-11-24T07:37:59+05:30', '2026-11-24T07:42:01+05:30'])(
    'a token issued %s, more than two minutes off, does not',
    async (issued) => {
      await post(world.simulator.webhookOf('SIM001', { issued }))
      expect((await world.record(account)).generation).toBe(1)
    },
  )
})

test('a post without an open request changes nothing', async () => {
  const before = JSON.stringify(await world.record(account))
  await post(world.simulator.webhookOf('SIM001'))
  expect(JSON.stringify(await world.record(account))).toBe(before)
})

test('a post after the window has closed changes nothing', async () => {
  success(await world.logins.requestApproval({ account }))
  world.clock.set('2026-11-24T10:00:00+05:30')
  const before = JSON.stringify(await world.record(account))
  await post(world.simulator.webhookOf('SIM001'))
  expect(JSON.stringify(await world.record(account))).toBe(before)
})

test('an account nobody has logged in to is not asked: whose approval would it be?', async () => {
  const unknown = await world.loginAccount('loginbroker/new')
  expect(await world.logins.requestApproval({ account: unknown })).toMatchObject({
    refused: true,
    code: 'configuration_invalid',
  })
  expect(world.simulator.approvalsAsked).toBe(0)
})

test('a request whose reply is lost leaves the webhook open: perhaps the holder was asked', async () => {
  const server = await world.serve(world.simulator)
  server.failNext('/approval', { kind: 'lost_reply' })
  success(await world.logins.requestApproval({ account }))
  await post(world.simulator.webhookOf('SIM001'))
  expect((await world.record(account)).generation).toBe(2)
})

test('nobody vouches for the published token for as long as the broker says it waits for an answer', async () => {
  await world.logIn(account)
  success(await world.logins.requestApproval({ account }))
  const { approval, doubt } = await world.record(account)
  expect(doubt?.openUntil).toEqual(approval?.openUntil)
  expect(approval?.openUntil.equals(approval.requestedAt.add({ seconds: 900 }))).toBe(false)
})

describe('the configured time', () => {
  const daily = configured(loginbroker, { pacingSeconds: 0, approvalAt: '07:30' })

  test('has the broker ask at the first run after it, once a day', async () => {
    world.clock.set('2026-11-24T07:20:00+05:30')
    await world.run(daily)
    expect(world.simulator.approvalsAsked).toBe(0)
    for (const time of ['07:30', '07:45', '08:15', '08:45']) {
      world.clock.set(`2026-11-24T${time}:00+05:30`)
      await world.run(daily)
    }
    expect(world.simulator.approvalsAsked).toBe(1)
    await post(world.simulator.webhookOf('SIM001'))
    expect((await world.record(account)).generation).toBe(2)
  })

  test('asks with all that the run found on record, and nobody vouches for the old token when the reply is lost', async () => {
    await world.logIn(account)
    await world.ports.vault.remove(account, 'refresh_token')
    world.clock.advance({ hours: 1 })
    await world.change(account, {
      settings: { leewayMinutes: 700 },
      doubt: { since: world.clock.now(), by: 'login' },
    })
    world.failNext('http.send', {
      after: 'landed',
      times: 'all',
      only: ({ url }) => url.endsWith('/approval'),
    })
    const { report } = await world.run(daily)
    expect(report.results).toMatchObject([{ outcome: 'awaiting_login', live: false }])
    expect(await world.record(account)).toMatchObject({ doubt: { by: 'approval' }, approval: { tried: 0 } })
  })

  test('leaves an older doubt as it was when the request never left us', async () => {
    await world.logIn(account)
    await world.ports.vault.remove(account, 'refresh_token')
    world.clock.advance({ hours: 1 })
    const before = await world.record(account)
    const doubt = { since: world.clock.now(), by: 'login' } as const
    const accessToken = before.accessToken && { ...before.accessToken, provenAt: world.clock.now() }
    await world.change(account, { settings: { leewayMinutes: 700 }, doubt, accessToken })
    world.failNext('http.send', { times: 'all' })
    const { report } = await world.run(daily)
    expect(report.results).toMatchObject([{ outcome: 'awaiting_login' }])
    expect((await world.record(account)).doubt).toEqual(doubt)
  })

  test('asks nobody on a Saturday', async () => {
    world.clock.set('2026-11-28T07:45:00+05:30')
    await world.run(daily)
    expect(world.simulator.approvalsAsked).toBe(0)
  })

  test('is not needed by a broker without it', async () => {
    await world.run(loginbroker)
    expect(world.simulator.approvalsAsked).toBe(0)
  })
})
