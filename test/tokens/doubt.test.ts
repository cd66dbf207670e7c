import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { statusOf } from '../../lib/accounts/account-status.ts'
import { oldTokenSentence } from '../../lib/accounts/receipt.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { newAccountState } from '../../lib/model/account-state.ts'
import { BrokerUnavailableError, GrantRejectedError, TokenVaultError } from '../../lib/model/errors.ts'
import type { Http } from '../../lib/ports/http.ts'
import { HTML_502 } from '../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { gaveNothing, noteDoubt } from '../../lib/tokens/rules/token/doubt.ts'
import { validateAccessToken } from '../../lib/tokens/service/validate.ts'
import { handIn } from '../support/hand-in.ts'
import { LoginWorld, success } from '../support/login-world.ts'

let world: LoginWorld
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = new LoginWorld()
  server = await world.serve(world.simulator)
  account = await world.loginAccount()
  await world.logIn(account)
  world.clock.advance({ minutes: 2 })
})

afterEach(() => world.close())

const status = () => world.tokenStatus(account)
const run = (force = false) => world.runOne(world.broker, { force })

/** Nothing asks the broker any more: what is known is what the record says. */
function hangs(): void {
  for (let i = 0; i < 20; i++) server.failNext('/me', HTML_502)
}

describe('I9 a token is called live only while nothing speaks against it', () => {
  test('a second login whose reply was lost has ended the first token, and that is found at once', async () => {
    const state = await world.begin(account)
    server.failNext('/exchange', { kind: 'lost_reply' })
    world.simulator.killAccessTokens()
    await world.callback({ state, code: world.simulator.codeFor('SIM001') })
    expect(await status()).toBe('refused')
  })

  test('where the broker cannot be asked, everything says since when it is unproven, and the next run asks', async () => {
    const state = await world.begin(account)
    server.failNext('/exchange', { kind: 'lost_reply' })
    hangs()
    await world.callback({ state, code: world.simulator.codeFor('SIM001') })
    const record = await world.record(account)
    const now = world.clock.now()
    expect(await status()).toBe('unproven')
    expect(statusOf(world.broker, record, now)).toMatchObject({
      live: false,
      unprovenSince: '2026-11-23T07:02:00+05:30',
      summary: 'token unproven since Mon 23 Nov 07:02 IST',
      nextAction: 'the next run asks the broker whether it still lives',
    })
    expect(oldTokenSentence(world.broker, record, now)).toBe(
      'Whether the old token still works is unproven since Mon 23 Nov 07:02 IST: the next run asks Loginbroker.',
    )
  })

  test('a run that finds it dead renews it; one that finds it alive says so again', async () => {
    const state = await world.begin(account)
    server.failNext('/exchange', HTML_502)
    server.failNext('/me', HTML_502)
    await world.callback({ state, code: world.simulator.codeFor('SIM001') })
    expect(await status()).toBe('unproven')
    const proofs = server.count('/me')
    expect(await run()).toMatchObject({ outcome: 'fresh', live: true })
    expect(server.count('/me')).toBe(proofs + 1)
    expect(await status()).toBe('live')
    expect((await world.record(account)).doubt).toBeUndefined()
  })

  test('a code the broker refused has ended nothing', async () => {
    const state = await world.begin(account)
    const proofs = server.count('/me')
    await world.callback({ state, code: 'code-invented' })
    expect(await status()).toBe('live')
    expect(server.count('/me')).toBe(proofs)
  })

  test('a login that is cancelled at the broker leaves the doubt of an earlier one that was killed', async () => {
    const state = await world.begin(account)
    const killed = world.failNext('http.send', { after: 'landed', hangs: true })
    void world.callback({ state, code: world.simulator.codeFor('SIM001') })
    await killed.happened
    world.clock.advance({ minutes: 10 })
    hangs()
    success(await world.callback({ state: await world.begin(account), error: 'access_denied' }))
    expect(await status()).toBe('unproven')
  })

  test('a login whose code could not be sent has put nothing in doubt', async () => {
    const state = await world.begin(account)
    await world.ports.vault.remove(account, 'client_secret')
    hangs()
    success(await world.callback({ state, code: world.simulator.codeFor('SIM001') }))
    expect(await status()).toBe('live')
  })

  test('a request the broker refused leaves no doubt', async () => {
    server.failNext('/approval', { kind: 'reply', status: 429, body: '{}', headers: { 'retry-after': '60' } })
    await world.logins.requestApproval({ account })
    expect(await status()).toBe('live')
  })

  test('what a request that never left us had put in doubt is as it was before', async () => {
    const doubt = { since: world.clock.now(), by: 'login' } as const
    await world.change(account, { doubt })
    world.failNext('http.send', { times: 'all' })
    expect(await world.logins.requestApproval({ account })).toMatchObject({ refused: true })
    expect((await world.record(account)).doubt).toEqual(doubt)
  })

  test('a token handed in that could be neither proven nor refused leaves the old one in doubt', async () => {
    const given = (accessToken: string) => handIn(world, { broker: world.broker, account, accessToken })
    await expect(given('SIMULATED-dead-token')).rejects.toThrow(GrantRejectedError)
    expect(await status()).toBe('live')
    hangs()
    await expect(given('SIMULATED-new-token')).rejects.toThrow(BrokerUnavailableError)
    expect(await status()).toBe('unproven')
  })

  test('a renewal that was killed in flight is found out by the next run, a minute and a half later', async () => {
    const killed = world.failNext('http.send', { hangs: true })
    void world.run(world.broker, { force: true })
    await killed.happened
    expect(await status()).toBe('unproven')
    world.clock.advance({ seconds: 60 })
    expect(await run()).toMatchObject({ outcome: 'skipped', live: false })
    world.clock.advance({ seconds: 200 })
    world.simulator.killAccessTokens()
    expect(await run()).toMatchObject({ outcome: 'awaiting_login', live: false })
  })
})

test('a verdict while a renewal is under way settles nothing: the renewal may end the token after it', async () => {
  const renewal = world.failNext('http.send', { hangs: true })
  void world.run(world.broker, { force: true })
  await renewal.happened
  expect(await validateAccessToken(world.broker, account, world.ports)).toMatchObject({ valid: true })
  expect(await status()).toBe('unproven')
})

describe('I10 what the broker minted is kept until it is proven', () => {
  test('one that was noted and never reached the vault is waited for by nobody once the next run has looked', async () => {
    await world.ports.vault.remove(account, 'refresh_token')
    world.clock.advance({ hours: 24 })
    // Told once: from then on a run has nothing to say.
    expect(await run()).toMatchObject({ outcome: 'awaiting_login' })
    world.clock.advance({ minutes: 5 })
    const at = world.clock.now()
    await world.change(account, {
      pending: { mintedAt: at, source: 'login' },
      lease: { owner: 'login/killed', takenAt: at, until: at.add({ seconds: 60 }) },
    })
    world.clock.advance({ minutes: 10 })
    expect(await run()).toMatchObject({ outcome: 'awaiting_login' })
    const record = await world.record(account)
    expect([record.pending, record.lease]).toEqual([undefined, undefined])
  })

  describe('whose owner only a proof tells, with its refresh token', () => {
    beforeEach(async () => {
      world.simulator.namesUser = false
      for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
      expect(await world.logIn(account)).toMatchObject({ kept: true })
    })

    test('is proven by one call', async () => {
      const proofs = server.count('/me')
      const kept = JSON.parse((await world.stored(account, 'pending')) ?? '{}') as { refreshToken: string }
      expect(await run()).toMatchObject({ outcome: 'refreshed' })
      expect(server.count('/me')).toBe(proofs + 1)
      expect(await world.stored(account, 'refresh_token')).toBe(kept.refreshToken)
    })

    test('leaves the refresh token where the access token has died, and there is no other', async () => {
      await world.ports.vault.remove(account, 'refresh_token')
      world.simulator.killAccessTokens()
      expect(await run()).toMatchObject({ outcome: 'refreshed', live: true })
      expect(await world.record(account)).toMatchObject({ accessToken: { source: 'refresh_token' } })
    })
  })

  test('whatever keeps it from being published for a while: the vault too', async () => {
    const throttled = world.failNext('vault.write', {
      times: 'all',
      only: (_, name) => name === 'access_token',
    })
    const codes = world.simulator.codesSeen
    expect(await world.logIn(account)).toMatchObject({ success: false, code: 'vault_write', kept: true })
    expect(await status()).toBe('unproven')
    throttled.stop()
    expect(await run()).toMatchObject({ outcome: 'refreshed', live: true })
    expect(world.simulator.codesSeen).toBe(codes + 1)
    expect(await world.stored(account, 'pending')).toBeUndefined()
    expect(await world.record(account)).toMatchObject({ generation: 2 })
    expect((await world.record(account)).pending).toBeUndefined()
  })

  test('the one webhook of an approval is not lost because the profile does not answer', async () => {
    success(await world.logins.requestApproval({ account }))
    const body = world.simulator.webhookOf('SIM001')
    for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
    await world.logins.acceptApproval({ account, body })
    expect(await world.record(account)).toMatchObject({ pending: { source: 'approval' }, generation: 1 })
    expect(await run()).toMatchObject({ outcome: 'refreshed' })
    const record = await world.record(account)
    expect(record).toMatchObject({ generation: 2, accessToken: { source: 'approval' } })
    expect(record.approval?.approvedAt).toBeDefined()
    expect(await world.stored(account, 'access_token')).toBe(body['token'])
  })

  test('nor because somebody else posts a token of their own while it waits for its proof', async () => {
    success(await world.logins.requestApproval({ account }))
    const body = world.simulator.webhookOf('SIM001')
    const { ports } = world
    const send: Http['send'] = async (request) =>
      request.url.endsWith('/me') ? { status: 502, headers: {}, body: '' } : ports.http.send(request)
    world.ports = { ...ports, http: { send } }
    await world.logins.acceptApproval({ account, body })
    await world.logins.acceptApproval({ account, body: { ...body, token: 'SIMULATED-forged-token' } })
    expect(await world.stored(account, 'pending')).toContain(body['token'])
    expect(await world.stored(account, 'pending')).not.toContain('forged')
    world.ports = ports
    expect(await run()).toMatchObject({ outcome: 'refreshed' })
    expect(await world.stored(account, 'access_token')).toBe(body['token'])
  })

  test('but one that proves is published over what is kept', async () => {
    for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
    await world.logIn(account)
    expect(await world.stored(account, 'pending')).toBeDefined()
    success(await world.logins.requestApproval({ account }))
    world.clock.advance({ minutes: 1 })
    const body = world.simulator.webhookOf('SIM001')
    await world.logins.acceptApproval({ account, body })
    expect(await world.stored(account, 'access_token')).toBe(body['token'])
    expect(await world.stored(account, 'pending')).toBeUndefined()
  })

  test('a kept token that turns out to be dead is removed, and the run goes on without it', async () => {
    for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
    await world.logIn(account)
    world.simulator.killAccessTokens()
    expect(await run()).toMatchObject({ outcome: 'refreshed', reason: expect.stringContaining('refused') })
    expect(await world.stored(account, 'pending')).toBeUndefined()
  })

  test('it is never published over a token that is newer', async () => {
    for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
    await world.logIn(account)
    world.clock.advance({ minutes: 1 })
    expect(await world.logIn(account)).toMatchObject({ success: true })
    const newer = await world.stored(account, 'access_token')
    await run(true)
    expect(await world.stored(account, 'pending')).toBeUndefined()
    expect([newer, undefined]).not.toContain(await world.stored(account, 'access_token'))
    expect(await world.record(account)).toMatchObject({ accessToken: { source: 'refresh_token' } })
  })

  test('no secret of it is said anywhere', async () => {
    for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
    await world.logIn(account)
    const kept = JSON.parse((await world.stored(account, 'pending')) ?? '{}') as { accessToken: string }
    expect(kept.accessToken.length).toBeGreaterThan(20)
    const record = JSON.stringify(await world.record(account))
    expect(world.said() + record).not.toContain(kept.accessToken)
  })
})

describe('noting a doubt', () => {
  test('nothing is in doubt where there is no token, or where a newer one ends none', () => {
    const at = world.clock.now()
    expect(noteDoubt({ sessions: 'one' }, newAccountState(account), { by: 'login', at })).toEqual({})
  })

  test.each([
    [new BrokerUnavailableError('not sent', { sent: false }), true],
    [new BrokerUnavailableError('502'), false],
    [new GrantRejectedError('no'), true],
    [new TokenVaultError('throttled', { during: 'write' }), false],
    [new Error('a bug'), false],
  ])('%s: nothing was minted is %s', (error, expected) => {
    expect(gaveNothing(error)).toBe(expected)
  })
})
