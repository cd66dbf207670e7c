import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { LoginWorld } from '../../support/login-world.ts'

let world: LoginWorld
let account: AccountId

/** The unattended grant of an account whose token died in the night is throttled until then. */
async function throttledUntil(instant: string, start = '2026-11-23T05:30:00+05:30'): Promise<void> {
  world = await LoginWorld.open('2026-11-22T07:00:00+05:30')
  account = await world.loginAccount()
  await world.logIn(account)
  world.clock.set(start)
  await world.ports.vault.remove(account, 'access_token')
  const notBefore = world.at(instant)
  await world.change(account, { notBefore })
  world.alerts.length = 0
}

const outcome = async (): Promise<string | undefined> =>
  (await world.runOne(world.broker, { seconds: 60 })).outcome

afterEach(() => world.close())

describe('an unattended grant that is throttled', () => {
  test('past the time a person needs before the open has that person asked, once', async () => {
    await throttledUntil('2026-11-23T17:30:00+05:30')
    expect(await outcome()).toBe('awaiting_login')
    world.clock.advance({ minutes: 15 })
    expect(await outcome()).toBe('awaiting_login')
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed'])
  })

  test('for long while the market is open has a person asked', async () => {
    await throttledUntil('2026-11-23T11:00:00+05:30', '2026-11-23T10:00:00+05:30')
    expect(await outcome()).toBe('awaiting_login')
  })

  test.each([
    ['until there is still time', '2026-11-23T07:00:00+05:30', '2026-11-23T05:30:00+05:30'],
    ['for a few minutes in the open market', '2026-11-23T10:10:00+05:30', '2026-11-23T10:00:00+05:30'],
  ])('%s asks nobody: it passes by itself', async (_, until, start) => {
    await throttledUntil(until, start)
    expect(await outcome()).toBe('failed')
    expect(world.alerts).toEqual([])
  })

  test('keeps nobody from logging in', async () => {
    await throttledUntil('2026-11-23T17:30:00+05:30')
    expect((await world.logIn(account)).success).toBe(true)
  })
})

describe('a login that is throttled', () => {
  beforeEach(async () => {
    world = await LoginWorld.open()
    account = await world.loginAccount()
  })

  test('holds back a renewal and another login for as long as the broker says', async () => {
    const headers = { 'retry-after': '300' }
    world.server.failNext('/exchange', { kind: 'reply', status: 429, headers, body: '{}' })
    expect(await world.logIn(account)).toMatchObject({ success: false, code: 'rate_limited' })
    const until = world.clock.now().add({ minutes: 5 })
    expect(await world.record(account)).toMatchObject({ notBefore: until, loginNotBefore: until })
  })

  test('is not begun again before the broker allows it', async () => {
    const loginNotBefore = world.clock.now().add({ minutes: 10 })
    await world.change(account, { loginNotBefore })
    const started = await world.logins.start({
      account,
      browser: 'sha256-of-the-cookie',
      callbackUrl: 'https://tokens.example.invalid/callback/loginbroker',
    })
    expect(started).toMatchObject({ refused: true, code: 'rate_limited', fix: 'try again in 10 min' })
    world.clock.advance({ minutes: 10 })
    expect((await world.logIn(account)).success).toBe(true)
  })
})
