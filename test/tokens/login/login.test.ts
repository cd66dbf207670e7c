import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { AccountId } from '../../../lib/model/account-id.ts'
import type { LoginResult } from '../../../lib/model/account-state.ts'
import { COMMAND_LINE } from '../../../lib/ports/login-service.ts'
import { accountOfState, newLoginState } from '../../../lib/tokens/login/attempts.ts'
import { loginService } from '../../../lib/tokens/login/login-service.ts'
import { BROWSER, CALLBACK, LoginWorld, success } from '../../support/login-world.ts'
import { rotabroker } from '../../support/rotating-broker.ts'

let world: LoginWorld
let account: AccountId

beforeEach(async () => {
  world = await LoginWorld.open()
  account = await world.loginAccount()
})
afterEach(() => world.close())

describe('a login', () => {
  test('ends in a proven, published token, its refresh token saved and the day of consent on record', async () => {
    const result = await world.logIn(account)
    expect(result.success).toBe(true)
    const record = await world.record(account)
    expect(record).toMatchObject({ userId: 'SIM001', generation: 1, last: { outcome: 'refreshed' } })
    expect(record.accessToken?.source).toBe('login')
    expect(record.authorizedAt?.toString()).toBe(record.accessToken?.issuedAt.toString())
    expect(await world.stored(account, 'access_token')).toBeDefined()
    expect(await world.stored(account, 'refresh_token')).toBe(world.simulator.currentOf('SIM001'))
  })

  test('there is none of is refused with a command for this account', async () => {
    const logins = loginService({ brokers: [rotabroker], ports: world.ports })
    const order = { account: 'rotabroker/BINA' as AccountId, browser: BROWSER, callbackUrl: CALLBACK }
    expect(await logins.start(order)).toMatchObject({
      refused: true,
      fix: expect.stringMatching(/: tokenkeeper put rotabroker\/BINA access_token$/),
    })
  })

  test('solves the incident a person was asked for, and says so once', async () => {
    await world.run(world.broker)
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed'])
    await world.logIn(account)
    await world.run(world.broker)
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'solved'])
  })

  test('has a refused refresh token tried again once it brought a new one', async () => {
    await world.store(account, { refresh_token: 'rotated-away-long-ago' })
    await world.run(world.broker)
    expect((await world.record(account)).blocks.refresh_token?.code).toBe('grant_rejected')
    await world.logIn(account)
    world.clock.advance({ minutes: 2 })
    await world.run(world.broker, { accounts: [account], force: true })
    expect(await world.record(account)).toMatchObject({
      generation: 2,
      blocks: {},
      accessToken: { source: 'refresh_token' },
    })
  })

  test.each(['login', 'approval'])(
    'does not have what was refused sent again where nothing new was stored (%s)',
    async (way) => {
      await world.logIn(account)
      await world.store(account, { refresh_token: 'rotated-away-long-ago' })
      world.clock.advance({ hours: 13 })
      await world.run(world.broker)
      const { blocks } = await world.record(account)
      expect(blocks.refresh_token).toBeDefined()
      world.simulator.givesRefreshToken = false
      if (way === 'login') await world.logIn(account)
      else {
        success(await world.logins.requestApproval({ account }))
        await world.logins.acceptApproval({ account, body: world.simulator.webhookOf('SIM001') })
      }
      expect(await world.record(account)).toMatchObject({ generation: 2, blocks })
      const exchanges = world.simulator.grantsSeen
      world.clock.advance({ hours: 13 })
      await world.run(world.broker)
      expect(world.simulator.grantsSeen).toBe(exchanges)
    },
  )

  test('keeps neither state nor code nor client secret in the record or in what is said', async () => {
    const state = await world.begin(account)
    const code = world.simulator.codeFor('SIM001')
    await world.callback({ state, code })
    const everything = JSON.stringify(await world.record(account)) + world.said()
    for (const secret of [state, code, 'SIMULATED-client-secret']) expect(everything).not.toContain(secret)
  })

  test('sends the browser to the redirect URI that is stored, before the one of the site', async () => {
    const redirectUri = 'https://trade.example.invalid/redirect-to-app'
    await world.store(account, { redirect_uri: redirectUri })
    const started = success(await world.logins.start({ account, browser: BROWSER, callbackUrl: CALLBACK }))
    expect(started.redirectUri).toBe(redirectUri)
    expect(new URL(started.authorizationUrl).searchParams.get('redirect_uri')).toBe(redirectUri)
  })
})

describe('the code is exchanged exactly once', () => {
  test('although the callback is reloaded', async () => {
    const state = await world.begin(account)
    const query = { state, code: world.simulator.codeFor('SIM001') }
    const first = success(await world.callback(query))
    const second = success(await world.callback(query))
    expect(second).toEqual(first)
    expect(world.simulator.codesSeen).toBe(1)
    expect((await world.record(account)).generation).toBe(1)
  })

  test('although the callback arrives ten times at once', async () => {
    const state = await world.begin(account)
    const query = { state, code: world.simulator.codeFor('SIM001') }
    await Promise.all(Array.from({ length: 10 }, () => world.callback(query)))
    expect(world.simulator.codesSeen).toBe(1)
    expect((await world.record(account)).generation).toBe(1)
  })

  test('although the reply of the broker is lost: the code counts as spent and the person is told', async () => {
    const server = await world.serve(world.simulator)
    server.failNext('/exchange', { kind: 'lost_reply' })
    const state = await world.begin(account)
    const query = { state, code: world.simulator.codeFor('SIM001') }
    const { loginId } = success(await world.callback(query))
    await world.callback(query)
    expect(world.simulator.codesSeen).toBe(1)
    expect(await world.resultOf(account, loginId)).toMatchObject({ success: false, code: 'ambiguous' })
  })

  test('by two browsers that log in at the same time: both end, one after the other', async () => {
    const states = await Promise.all([world.begin(account, 'one'), world.begin(account, 'two')])
    const ends = await Promise.all(
      states.map((state, index) =>
        world.callback(
          { state, code: world.simulator.codeFor('SIM001') },
          { browser: index === 0 ? 'one' : 'two' },
        ),
      ),
    )
    // The budget allows one exchange in 30 s: the second one is told so before its code is sent.
    expect(ends.filter((end) => 'refused' in end).map((end) => 'refused' in end && end.code)).toEqual([
      'rate_limited',
    ])
    expect(world.simulator.codesSeen).toBe(1)
  })
})

describe('what is not the end of a login that was begun here changes nothing', () => {
  test.each([
    ['forged', () => newLoginState(account), 'unknown_state'],
    [
      'for an account there is not',
      () => newLoginState('loginbroker/nobody' as AccountId),
      'configuration_invalid',
    ],
    ['without an account in it', () => 'only-random', 'unknown_state'],
    ['empty', () => '', 'unknown_state'],
    ['of another broker', () => newLoginState('fyers' as AccountId), 'unknown_state'],
  ])('a state that is %s', async (_, state, code) => {
    const before = JSON.stringify(await world.record(account))
    const end = await world.callback({ state: state(), code: world.simulator.codeFor('SIM001') })
    expect(end).toMatchObject({ refused: true, code })
    expect(JSON.stringify(await world.record(account))).toBe(before)
    expect(world.simulator.codesSeen).toBe(0)
  })

  test('a state begun in another browser, which stays open for its own', async () => {
    const state = await world.begin(account)
    const code = world.simulator.codeFor('SIM001')
    const stolen = await world.callback({ state, code }, { browser: 'another' })
    expect(stolen).toMatchObject({ refused: true, code: 'other_browser' })
    expect(world.simulator.codesSeen).toBe(0)
    success(await world.callback({ state, code }))
    expect((await world.record(account)).generation).toBe(1)
  })

  test('a state of the command line in a browser, and the other way round', async () => {
    const state = await world.begin(account, COMMAND_LINE)
    expect(await world.callback({ state, code: 'x' })).toMatchObject({ code: 'other_browser' })
    const other = await world.begin(account)
    expect(await world.callback({ state: other, code: 'x' }, { browser: COMMAND_LINE })).toMatchObject({
      code: 'other_browser',
    })
  })

  test('a state older than ten minutes', async () => {
    const state = await world.begin(account)
    await world.clock.sleep(10 * 60_000)
    const end = await world.callback({ state, code: world.simulator.codeFor('SIM001') })
    expect(end).toMatchObject({ refused: true, code: 'state_expired' })
    expect(world.simulator.codesSeen).toBe(0)
  })

  test('a state of one account never logs in another one', async () => {
    const other = await world.loginAccount('loginbroker/other')
    const state = await world.begin(account)
    expect(accountOfState(state)).toBe(account)
    await world.callback({ state, code: world.simulator.codeFor('SIM001') })
    expect((await world.record(other)).generation).toBe(0)
    expect(await world.stored(other, 'access_token')).toBeUndefined()
  })
})

describe('another person’s login', () => {
  beforeEach(async () => {
    await world.logIn(account)
    await world.clock.sleep(60_000)
  })

  test.each([true, false])(
    'changes nothing, whether the reply names its user (%s) or the proof does',
    async (names) => {
      world.simulator.namesUser = names
      const before = await world.record(account)
      const tokens = [
        await world.stored(account, 'access_token'),
        await world.stored(account, 'refresh_token'),
      ]
      const result = await world.logIn(account, 'SIM999')
      expect(result).toMatchObject({ success: false, code: 'wrong_account' })
      expect(result.reason).toContain('SI…99')
      expect([
        await world.stored(account, 'access_token'),
        await world.stored(account, 'refresh_token'),
      ]).toEqual(tokens)
      const after = await world.record(account)
      expect(after).toMatchObject({ userId: 'SIM001', generation: before.generation })
      expect(after.refreshToken).toEqual(before.refreshToken)
    },
  )

  test('is refused before its code is sent when the redirect already names its user', async () => {
    const state = await world.begin(account)
    const { loginId } = success(
      await world.callback({ state, code: world.simulator.codeFor('SIM999'), user: 'SIM999' }),
    )
    expect(await world.resultOf(account, loginId)).toMatchObject({ success: false, code: 'wrong_account' })
    expect(world.simulator.codesSeen).toBe(1)
  })
})

describe('a login that fails', () => {
  test('because the person cancelled it costs no exchange and can be begun again at once', async () => {
    const state = await world.begin(account)
    const { loginId } = success(await world.callback({ state, error: 'access_denied' }))
    const result = await world.resultOf(account, loginId)
    expect(result).toMatchObject({ success: false, code: 'grant_rejected' })
    expect(result.reason).toContain('access_denied')
    expect((await world.logIn(account)).success).toBe(true)
  })

  test('keeps the token that still works, and asks nobody twice', async () => {
    await world.logIn(account)
    await world.clock.sleep(60_000)
    const before = await world.stored(account, 'access_token')
    const state = await world.begin(account)
    const { loginId } = success(await world.callback({ state, code: 'spent-or-invented' }))
    expect(await world.resultOf(account, loginId)).toMatchObject({ success: false, code: 'grant_rejected' })
    expect(await world.stored(account, 'access_token')).toBe(before)
    expect(world.alerts).toEqual([])
  })

  test('saves the refresh token it got although the proof fails, and keeps the access token for the next run', async () => {
    const server = await world.serve(world.simulator)
    for (let i = 0; i < 5; i++) server.failNext('/me', { kind: 'reply', status: 502, body: '' })
    const result = await world.logIn(account)
    expect(result).toMatchObject({ success: false, code: 'broker_unavailable', kept: true })
    expect(result.fix).toMatch(/^do not log in again/)
    expect(await world.stored(account, 'refresh_token')).toBe(world.simulator.currentOf('SIM001'))
    expect(await world.stored(account, 'access_token')).toBeUndefined()
    const exchanges = world.simulator.codesSeen
    const held = await world.record(account)
    expect(held).toMatchObject({ pending: { source: 'login' } })
    const passed = world.clock.now().subtract({ minutes: 1 })
    await world.change(account, { loginNotBefore: passed, loginNotBeforeSetAt: passed })
    const { report } = await world.run(world.broker)
    expect(report.results).toMatchObject([{ outcome: 'refreshed', live: true }])
    expect(world.simulator.codesSeen).toBe(exchanges)
    expect(await world.stored(account, 'pending')).toBeUndefined()
    const record = await world.record(account)
    expect(record).toMatchObject({ accessToken: { source: 'login' }, generation: 1 })
    // All that a login that goes well leaves: the day of consent, and no wait.
    expect(record.authorizedAt).toEqual(held.pending?.mintedAt)
    expect(record).not.toHaveProperty('loginNotBefore')
  })
})

describe('a login is not begun', () => {
  test('while the budget allows no exchange: the person is told before typing a second factor', async () => {
    await world.logIn(account)
    const refused = await world.logins.start({ account, browser: BROWSER, callbackUrl: CALLBACK })
    expect(refused).toMatchObject({ refused: true, code: 'rate_limited' })
    expect('refused' in refused && refused.fix).toMatch(/try again in \d+ s/)
  })

  test('when what it needs is not stored: the parameter is named', async () => {
    await world.ports.vault.remove(account, 'client_secret')
    const refused = await world.logins.start({ account, browser: BROWSER, callbackUrl: CALLBACK })
    expect(refused).toMatchObject({ refused: true, code: 'configuration_invalid' })
    expect('refused' in refused && refused.reason).toContain('client_secret')
  })

  test('an eleventh time at once', async () => {
    for (let i = 0; i < 10; i++) await world.begin(account)
    const refused = await world.logins.start({ account, browser: BROWSER, callbackUrl: CALLBACK })
    expect(refused).toMatchObject({ refused: true, code: 'rate_limited' })
  })

  test('for an unknown account', async () => {
    const start = { account: 'loginbroker/nobody' as AccountId, browser: BROWSER, callbackUrl: CALLBACK }
    expect(await world.logins.start(start)).toMatchObject({ refused: true, code: 'configuration_invalid' })
  })
})

test('a bare code is exchanged for whoever holds the command line', async () => {
  const code = world.simulator.codeFor('SIM001')
  const finished = success(await world.logins.finish({ by: 'code', account, code }))
  expect((await world.resultOf(account, finished.loginId)).success).toBe(true)
})

test('a login that is killed keeps the account for a minute and no longer', async () => {
  const state = await world.begin(account)
  const began = world.clock.now()
  const killed = world.failNext('http.send', { hangs: true })
  void world.callback({ state, code: world.simulator.codeFor('SIM001') })
  await killed.happened
  expect((await world.record(account)).lease?.until).toEqual(began.add({ seconds: 60 }))
})

describe('a bare code that is handed in again', () => {
  const handIn = async (code: string): Promise<LoginResult> => {
    const { loginId } = success(await world.logins.finish({ by: 'code', account, code }))
    return world.resultOf(account, loginId)
  }
  /** The broker cannot be reached at this path. */
  const outOfReach = (path: string) =>
    world.failNext('http.send', { times: 'all', only: ({ url }) => url.endsWith(path) })

  test('is sent when it never left us', async () => {
    const code = world.simulator.codeFor('SIM001')
    const unsent = outOfReach('/exchange')
    expect(await handIn(code)).toMatchObject({ success: false, code: 'broker_unavailable', unsent: true })
    unsent.stop()
    world.clock.advance({ minutes: 1 })
    expect(await handIn(code)).toMatchObject({ success: true })
  })

  test('is sent once at most: a second try that was killed is the last one', async () => {
    const code = world.simulator.codeFor('SIM001')
    const unsent = outOfReach('/exchange')
    expect(await handIn(code)).toMatchObject({ unsent: true })
    unsent.stop()
    world.clock.advance({ minutes: 1 })
    const killed = world.failNext('http.send', { after: 'landed', hangs: true })
    void handIn(code).catch(() => undefined)
    await killed.happened
    world.clock.advance({ minutes: 10 })
    await world.logins.finish({ by: 'code', account, code })
    expect(world.simulator.codesSeen).toBe(1)
  })

  test('is not sent when an answer came that says nothing', async () => {
    const code = world.simulator.codeFor('SIM001')
    world.server.failNext('/exchange', { kind: 'reply', status: 404, body: '<html>' })
    expect(await handIn(code)).toMatchObject({ success: false, code: 'broker_unavailable' })
    world.clock.advance({ minutes: 1 })
    await handIn(code)
    expect(world.simulator.codesSeen).toBe(0)
  })

  test('is not sent when it was exchanged and only its token could not be proven', async () => {
    const code = world.simulator.codeFor('SIM001')
    outOfReach('/me')
    expect(await handIn(code)).toMatchObject({ success: false, code: 'broker_unavailable', kept: true })
    world.clock.advance({ minutes: 1 })
    await handIn(code)
    expect(world.simulator.codesSeen).toBe(1)

    world.failNext('vault.write', { times: 'all', only: (_, name) => name === 'pending' })
    const other = world.simulator.codeFor('SIM001')
    expect(await handIn(other)).not.toHaveProperty('kept')
    world.clock.advance({ minutes: 1 })
    await handIn(other)
    expect(world.simulator.codesSeen).toBe(2)
  })
})
