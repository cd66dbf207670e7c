import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { statusOf } from '../../lib/accounts/account-status.ts'
import { EXIT, exitCodeOfRun } from '../../lib/cli/terminal/exit-codes.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { changed } from '../../lib/model/account-state.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { HTML_502 } from '../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { noteDoubt, withdrawDoubt } from '../../lib/tokens/rules/token/doubt.ts'
import { LoginWorld, success } from '../support/login-world.ts'

let world: LoginWorld
let server: SimulatorServer
let account: AccountId

beforeEach(async () => {
  world = new LoginWorld('2026-11-24T05:00:00+05:30')
  server = await world.serve(world.simulator)
  account = await world.loginAccount()
  await world.logIn(account)
  world.clock.set('2026-11-24T07:40:00+05:30')
  success(await world.logins.requestApproval({ account }))
  world.clock.set('2026-11-24T07:42:00+05:30')
})
afterEach(() => world.close())

const status = () => world.tokenStatus(account)
const run = async (options: { force?: boolean } = {}) => (await world.run(world.broker, options)).report
/** A proof holds for less. */
const later = (): void => world.clock.advance({ seconds: 61 })

describe('I9 while a request for approval is open', () => {
  test('nobody vouches for the token but who has proven it a moment ago', async () => {
    expect(await status()).toBe('unproven')
    const proofs = server.count('/me')
    const report = await run()
    expect(report.results).toMatchObject([{ outcome: 'fresh', live: true }])
    expect(exitCodeOfRun(report)).toBe(EXIT.ok)
    expect(server.count('/me')).toBe(proofs + 1)
    later()
    expect(statusOf(world.broker, await world.record(account), world.clock.now())).toMatchObject({
      live: false,
      unprovenSince: '2026-11-24T07:42:00+05:30',
    })
  })

  test('every run asks once more, and so finds the token that an approval has ended', async () => {
    await run()
    later()
    const proofs = server.count('/me')
    await run()
    expect(server.count('/me')).toBe(proofs + 1)
    later()
    await world.ports.vault.remove(account, 'refresh_token')
    world.simulator.killAccessTokens()
    expect((await run()).results).toMatchObject([{ outcome: 'awaiting_login', live: false }])
  })

  test('a proof from after it has closed is a proof for good', async () => {
    world.clock.set('2026-11-24T09:41:00+05:30')
    expect((await run()).results).toMatchObject([{ live: true }])
    later()
    expect(await status()).toBe('live')
    expect((await world.record(account)).doubt).toBeUndefined()
  })

  test('a login on the web leaves the new token in the same doubt', async () => {
    expect(await world.logIn(account)).toMatchObject({ success: true })
    expect(await status()).toBe('live')
    later()
    expect(await status()).toBe('unproven')
    expect(await world.record(account)).toMatchObject({ generation: 2, doubt: { by: 'approval' } })
    await world.ports.vault.remove(account, 'refresh_token')
    world.simulator.killAccessTokens()
    expect((await run()).results).toMatchObject([{ outcome: 'awaiting_login', live: false }])
  })

  test('a renewal leaves the new token in the same doubt', async () => {
    expect((await run({ force: true })).results).toMatchObject([{ outcome: 'refreshed', live: true }])
    later()
    expect(await status()).toBe('unproven')
  })

  test('a token somebody else stored is in the same doubt', async () => {
    await world.store(account, { access_token: world.simulator.openFamily('SIM001').access })
    expect((await run()).results).toMatchObject([{ outcome: 'refreshed', live: true }])
    later()
    expect(await status()).toBe('unproven')
  })

  test('the approval itself ends the doubt', async () => {
    await world.logins.acceptApproval({ account, body: world.simulator.webhookOf('SIM001') })
    later()
    expect(await status()).toBe('live')
  })

  test('a code that is sent is in doubt at once, however short ago the proof', async () => {
    await run()
    world.clock.advance({ seconds: 5 })
    const state = await world.begin(account)
    server.failNext('/exchange', { kind: 'lost_reply' })
    server.failNext('/me', HTML_502)
    await world.callback({ state, code: world.simulator.codeFor('SIM001') })
    expect(await status()).toBe('unproven')
  })
})

describe('noting a doubt while a request is open', () => {
  test('a code that did nothing leaves what the request has put in doubt', async () => {
    await run()
    later()
    const before = await world.record(account)
    const at = world.clock.now()
    const noted = changed(before, noteDoubt(world.broker, before, { by: 'login', at }))
    expect(noted.doubt).toMatchObject({ by: 'login', since: at })
    expect(changed(noted, withdrawDoubt(noted, at)).doubt).toEqual(before.doubt)
  })

  test('where a newer token ends none, an open request puts nothing in doubt', async () => {
    const many: Broker = { ...world.broker, sessions: 'many' }
    await world.change(account, { doubt: undefined })
    await world.run(many, { force: true })
    later()
    expect((await world.record(account)).doubt).toBeUndefined()
    expect(await status()).toBe('live')
  })
})
