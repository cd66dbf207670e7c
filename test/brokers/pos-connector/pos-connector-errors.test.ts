import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HTML_200, HTML_502, type SimulatedFault } from '../../../lib/simulators/kit/simulator.ts'
import { POS_FAULTS } from '../../../lib/simulators/pos-connector/replies.ts'
import { OTHER_POS_USER, POS_USER, type PosWorld, posWorld } from '../../support/pos-backend.ts'

const LOGIN = '/api/login'
const USER = '/api/user'
const REDIRECT_ELSEWHERE: SimulatedFault = {
  kind: 'reply',
  status: 302,
  body: '',
  headers: { location: '/home' },
}

let pos: PosWorld

beforeEach(async () => {
  pos = await posWorld()
})

afterEach(() => pos.world.close())

function status(code: number): SimulatedFault {
  return { kind: 'reply', status: code, body: '{"message":"SIM PROSE 7f3a"}' }
}

describe('a wrong password', () => {
  test.each([401, 422] as const)(
    'told with %i is sent once, forced or not, until it is changed',
    async (how) => {
      pos.simulator.behaviour.wrongPassword = how
      await pos.world.store(pos.account, { password: 'S3CRET-WRONG' })
      expect(await pos.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
      for (let i = 0; i < 4; i++) {
        pos.world.clock.advance({ hours: 9 })
        expect(await pos.run({ force: i % 2 === 0 })).toMatchObject({ code: 'human_action' })
      }
      expect(pos.simulator.logins).toBe(1)
      expect(pos.world.alerts.map(({ kind }) => kind)).toEqual(['human_action'])

      await pos.world.store(pos.account, { password: POS_USER.password })
      expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
      expect(pos.world.alerts.map(({ kind }) => kind)).toEqual(['human_action', 'solved'])
    },
  )

  test('an unverified user needs a person, who may then force a run', async () => {
    pos.simulator.behaviour.unverified = true
    expect(await pos.run()).toMatchObject({ code: 'human_action' })
    pos.world.clock.advance({ hours: 1 })
    await pos.run()
    expect(pos.simulator.logins).toBe(1)
    pos.simulator.behaviour.unverified = false
    expect(await pos.run({ force: true })).toMatchObject({ outcome: 'refreshed' })
  })

  test('an unknown 4xx to a password is not repeated', async () => {
    pos.server.failNext(LOGIN, status(423))
    expect(await pos.run()).toMatchObject({ code: 'human_action' })
    pos.world.clock.advance({ hours: 1 })
    await pos.run()
    expect(pos.server.count(LOGIN)).toBe(1)
  })
})

describe('a login answered 200 without a token', () => {
  test.each(['{"success":false}', '{"message":"Invalid login details"}', '{"data":{"token":""}}'])(
    'as %s is a refusal of the password, sent once and never by the next runs',
    async (body) => {
      pos.server.failNext(LOGIN, { kind: 'reply', status: 200, body })
      expect(await pos.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
      for (let i = 0; i < 3; i++) {
        pos.world.clock.advance({ minutes: 15 })
        expect(await pos.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
      }
      expect(pos.server.count(LOGIN)).toBe(1)
      expect(pos.world.news).toHaveLength(1)
    },
  )
})

describe('a wrong address', () => {
  test.each([
    ['404', POS_FAULTS.notFound],
    ['405', POS_FAULTS.methodNotAllowed],
    ['419 as JSON', POS_FAULTS.csrfMismatch],
    ['419 as a page', POS_FAULTS.pageExpired],
    ['302 to the login page', POS_FAULTS.loginRedirect],
    ['HTML 200', HTML_200],
  ])('%s on login is the operator’s to correct', async (_name, fault) => {
    pos.server.failNext(LOGIN, fault)
    expect(await pos.run()).toMatchObject({
      outcome: 'failed',
      code: 'configuration_invalid',
      reason: expect.stringContaining('paths.login'),
    })
    expect(pos.world.alerts).toMatchObject([{ kind: 'operator_action' }])
    pos.world.clock.advance({ minutes: 15 })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
  })

  test.each([
    ['404', POS_FAULTS.notFound],
    ['405', POS_FAULTS.methodNotAllowed],
    ['419', POS_FAULTS.csrfMismatch],
    ['a redirect that is not to the login page', REDIRECT_ELSEWHERE],
    ['HTML 200', HTML_200],
  ])('%s on the user call names paths.me and publishes nothing', async (_name, fault) => {
    pos.server.failNext(USER, fault)
    expect(await pos.run()).toMatchObject({
      code: 'configuration_invalid',
      reason: expect.stringContaining('paths.me'),
    })
    expect(await pos.token()).toBeUndefined()
  })

  test('some JSON that names no user is no proof', async () => {
    pos.server.failNext(USER, { kind: 'reply', status: 200, body: '{"status":"ok"}' })
    expect(await pos.run()).toMatchObject({
      code: 'response_unexpected',
      reason: expect.stringContaining('user.id'),
    })
    expect(await pos.token()).toBeUndefined()
  })
})

describe('a token that is refused right after the login', () => {
  test('always: exactly one login, and the operator is told', async () => {
    pos.simulator.behaviour.refusals = Number.POSITIVE_INFINITY
    expect(await pos.run()).toMatchObject({ outcome: 'failed', code: 'client_rejected' })
    for (let i = 0; i < 5; i++) {
      pos.world.clock.advance({ minutes: 15 })
      await pos.run()
    }
    expect(pos.simulator.logins).toBe(1)
    expect(pos.world.alerts.map(({ kind }) => kind)).toEqual(['operator_action'])
    pos.simulator.behaviour.refusals = 0
    expect(await pos.run({ force: true })).toMatchObject({ outcome: 'refreshed' })
  })

  test('by a redirect to the login page is the same as by a 401', async () => {
    pos.server.failNext(USER, POS_FAULTS.loginRedirect)
    expect(await pos.run()).toMatchObject({ code: 'client_rejected' })
    expect(await pos.token()).toBeUndefined()
  })

  test('a stored token that leads to the login page is dead and is replaced', async () => {
    await pos.world.store(pos.account, { access_token: pos.simulator.tokenFor(POS_USER.email) })
    const location = `${pos.server.origin}/login?intended=/api/user`
    pos.server.failNext(USER, { kind: 'reply', status: 302, body: '<html></html>', headers: { location } })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.simulator.logins).toBe(1)
  })

  test('once, for a stored token: one login, then all is well', async () => {
    await pos.world.store(pos.account, { access_token: pos.simulator.tokenFor(POS_USER.email) })
    pos.simulator.behaviour.refusals = 1
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.simulator.logins).toBe(1)
  })

  test('403 on the user call is a missing right', async () => {
    pos.server.failNext(USER, POS_FAULTS.unauthorizedAction)
    expect(await pos.run()).toMatchObject({ code: 'client_rejected' })
  })

  test('422 on the user call is reported', async () => {
    pos.server.failNext(USER, status(422))
    expect(await pos.run()).toMatchObject({ code: 'response_unexpected' })
  })
})

describe('another user', () => {
  test('than the stored e-mail is not published, and the login is not repeated', async () => {
    pos.simulator.behaviour.loginAs = OTHER_POS_USER.email
    expect(await pos.run()).toMatchObject({ code: 'wrong_account', reason: expect.stringContaining('email') })
    pos.world.clock.advance({ minutes: 15 })
    await pos.run()
    expect(pos.simulator.logins).toBe(1)
    expect(await pos.token()).toBeUndefined()
  })

  test('is noticed by the user call when the login names none', async () => {
    Object.assign(pos.simulator.behaviour, { shape: 'data', loginAs: OTHER_POS_USER.email })
    expect(await pos.run()).toMatchObject({ code: 'wrong_account' })
    expect(pos.server.count(USER)).toBe(1)
  })

  test('another vendor than the stored one is a wrong account, in other letters it is not', async () => {
    await pos.world.store(pos.account, { vendor_id: 'VENDOR-2' })
    expect(await pos.run()).toMatchObject({
      code: 'wrong_account',
      reason: expect.stringContaining('vendor_id'),
    })
    await pos.world.store(pos.account, { vendor_id: 'vendor-1' })
    pos.world.clock.advance({ minutes: 2 })
    expect(await pos.run({ force: true })).toMatchObject({ outcome: 'refreshed' })
  })

  test('another id behind the same e-mail is not the pinned user', async () => {
    await pos.run()
    const before = await pos.token()
    pos.world.clock.set('2025-07-12T15:30:00+00:00')
    pos.server.failNext(USER, { kind: 'reply', status: 200, body: '{"id":9,"email":"POS@example.invalid"}' })
    expect(await pos.run()).toMatchObject({ code: 'wrong_account' })
    expect(await pos.token()).toBe(before)
  })
})

describe('throttles', () => {
  test.each([
    ['57 s are waited', 57, 57],
    ['an hour is capped at five minutes', 3_600, 300],
  ])('on login: %s', async (_name, retryAfter, waited) => {
    pos.server.failNext(LOGIN, POS_FAULTS.throttled(retryAfter))
    expect(await pos.run({ seconds: 52 })).toMatchObject({
      code: 'rate_limited',
      reason: expect.stringContaining(`${waited} s`),
    })
    // Throttled is not logged in: the wait alone holds the next one back.
    pos.world.clock.advance({ seconds: waited - 1 })
    expect(await pos.run({ seconds: 46 })).toMatchObject({ code: 'rate_limited' })
    expect(pos.server.count(LOGIN)).toBe(1)
    pos.world.clock.advance({ seconds: 1 })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.world.alerts).toHaveLength(0)
  })

  test('we stay below the backend’s limit: a minute between logins, ten in an hour', async () => {
    for (let i = 0; i < 110; i++) {
      await pos.run({ force: true, seconds: 46 })
      pos.world.clock.advance({ seconds: 30 })
    }
    expect(pos.simulator.logins).toBe(10)
  })
})

describe('passing faults page nobody, and each attempt counts', () => {
  test.each([
    ['500', POS_FAULTS.serverError],
    ['503', POS_FAULTS.maintenance()],
    ['HTML 502', HTML_502],
    ['half of a body', { kind: 'truncated' } as const],
    ['a reset connection', { kind: 'reset' } as const],
    ['a lost reply', { kind: 'lost_reply' } as const],
  ])('%s at login is repeated no sooner than a minute later', async (_name, fault) => {
    pos.server.failNext(LOGIN, fault)
    const start = pos.world.clock.now()
    expect(await pos.run({ seconds: 55 })).toMatchObject({ outcome: 'failed' })
    expect(pos.server.count(LOGIN)).toBe(1)
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.server.count(LOGIN)).toBe(2)
    expect(start.until(pos.world.clock.now()).total('seconds')).toBeGreaterThanOrEqual(60)
    expect(pos.world.alerts).toHaveLength(0)
  })

  test('503 with Retry-After at login is waited out', async () => {
    pos.server.failNext(LOGIN, POS_FAULTS.maintenance(200))
    await pos.run({ seconds: 52 })
    pos.world.clock.advance({ seconds: 150 })
    expect(await pos.run({ seconds: 46 })).toMatchObject({ code: 'rate_limited' })
    pos.world.clock.advance({ seconds: 60 })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.server.count(LOGIN)).toBe(2)
  })

  test.each([
    ['500', POS_FAULTS.serverError],
    ['503 with Retry-After', POS_FAULTS.maintenance(30)],
    ['HTML 502', HTML_502],
  ])('%s at the user call does not cost the new token', async (_name, fault) => {
    pos.server.failNext(USER, fault)
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    expect(pos.simulator.logins).toBe(1)
  })

  test('a backend that is down was sent nothing, so nothing counts', async () => {
    await pos.server.close()
    expect(await pos.run()).toMatchObject({ code: 'broker_unavailable' })
    expect((await pos.world.ports.states.get(pos.account))?.attempts).toHaveLength(0)
  })

  test('while the published token lives, a failing backend leaves it in use', async () => {
    await pos.run()
    const before = await pos.token()
    pos.world.clock.set('2025-07-12T15:30:00+00:00')
    for (let i = 0; i < 3; i++) pos.server.failNext(LOGIN, HTML_502)
    await pos.run()
    expect(await pos.token()).toBe(before)
    expect(pos.world.alerts).toHaveLength(0)
  })
})

describe('what is said', () => {
  test('a stack trace of debug mode gets no further', async () => {
    const canary = 'CANARY-5e8d1c'
    for (const path of [LOGIN, USER, USER, USER, USER])
      pos.server.failNext(path, POS_FAULTS.debugError(canary))
    await pos.run({ seconds: 55 })
    await pos.run()
    pos.server.failNext(LOGIN, {
      ...(POS_FAULTS.debugError(canary) as SimulatedFault & { kind: 'reply' }),
      status: 422,
    })
    pos.world.clock.advance({ minutes: 5 })
    await pos.run({ force: true })
    expect(pos.world.alerts.map(({ kind }) => kind)).toContain('human_action')
    expect(pos.world.said()).not.toContain(canary)
  })

  test('neither password nor token', async () => {
    await pos.run()
    const token = (await pos.token()) as string
    await pos.world.store(pos.account, { password: 'S3CRET-WRONG' })
    pos.world.clock.advance({ hours: 24 })
    await pos.run()
    for (const secret of ['S3CRET', token]) expect(pos.world.said()).not.toContain(secret)
  })
})
