import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { renewsItself } from '../../../lib/accounts/needs.ts'
import { configured } from '../../../lib/brokers/configured.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { type GrantBlock, newAccountState, type StateChanges } from '../../../lib/model/account-state.ts'
import { RateLimitedError } from '../../../lib/model/errors.ts'
import { readStored } from '../../../lib/tokens/lease/read-stored.ts'
import { isOpen, openLogins } from '../../../lib/tokens/login/attempts.ts'
import { leftAlone } from '../../../lib/tokens/rules/grants/attempt.ts'
import { isOver } from '../../../lib/tokens/rules/grants/block.ts'
import { attemptAllowedAt, attemptsLeftToday, withAttempt } from '../../../lib/tokens/rules/grants/budget.ts'
import { settledBy } from '../../../lib/tokens/rules/token/doubt.ts'
import { isApprovalOpen } from '../../../lib/tokens/rules/token/open-approval.ts'
import { isReminderDue } from '../../../lib/tokens/tell/incident.ts'
import { loginbroker } from '../../support/login-broker.ts'
import { LoginWorld, success } from '../../support/login-world.ts'

/** A Monday, before the market. */
const NOW = Temporal.Instant.from('2026-11-23T08:30:00+05:30')
const ZONE = 'Asia/Kolkata'
const AHEAD = [
  ['an hour', NOW.add({ hours: 1 })],
  ['a year', NOW.add({ hours: 24 * 365 })],
] as const
/** What clocks may differ by: it is believed, as somebody's whose clock is right. */
const TOLERATED = NOW.add({ minutes: 2 })

describe.each(AHEAD)('what was written %s ahead', (_, then) => {
  test('as a wait holds up no account', () => {
    const wait = leftAlone(new RateLimitedError('throttled', { retryAfterSeconds: 900 }), then)
    const held = (now: Temporal.Instant) =>
      attemptAllowedAt({ minimumGapSeconds: 0 }, { attempts: [], ...wait }, ZONE, now)
    expect(held(then.add({ seconds: 899 }))?.reason).toBe('the broker asked us to wait')
    expect(held(then.add({ seconds: 900 }))).toBeUndefined()
    expect(held(NOW)).toBeUndefined()
  })

  test('as attempts spends no budget now, and counts from the next attempt on', () => {
    const attempts = [then.subtract({ minutes: 5 }), then]
    const budget = { perHour: 3, perDay: 3, minimumGapSeconds: 60 }
    expect(attemptAllowedAt(budget, { attempts }, ZONE, NOW)).toBeUndefined()
    expect(attemptsLeftToday(budget, { attempts }, ZONE, NOW)).toBe(3)
    const next = withAttempt(attempts, NOW)
    expect(next.map(String)).toEqual([NOW, NOW, NOW].map(String))
    expect(attemptAllowedAt(budget, { attempts: next }, ZONE, NOW)).toMatchObject({ dayIsSpent: true })
  })

  test('as a block that ends by itself has ended', () => {
    const block: GrantBlock = {
      code: 'client_rejected',
      reason: 'refused',
      stamps: {},
      at: then,
      until: then.add({ hours: 3 }),
      forcible: true,
    }
    expect(isOver(block, then.add({ hours: 2 }))).toBe(false)
    expect(isOver(block, then.add({ hours: 3 }))).toBe(true)
    expect(isOver(block, NOW)).toBe(true)
    const state = {
      ...newAccountState('loginbroker' as AccountId),
      blocks: { refresh_token: block },
      refreshToken: { savedAt: NOW, version: 1 },
    }
    expect(renewsItself(loginbroker, state, then.add({ hours: 2 }))).toBe(false)
    expect(renewsItself(loginbroker, state, NOW)).toBe(true)
  })

  test('as a request for approval is open no longer', () => {
    const approval = { requestedAt: then, openUntil: then.add({ minutes: 15 }), tried: 0 }
    expect(isApprovalOpen(approval, then)).toBe(true)
    expect(isApprovalOpen(approval, NOW)).toBe(false)
  })

  test('as a login that was begun is open no longer', () => {
    const login = {
      id: 'x',
      browser: 'cli',
      startedAt: then,
      openUntil: then.add({ minutes: 10 }),
      redirectUri: 'https://example.invalid/',
    }
    expect(isOpen(login, then)).toBe(true)
    expect(isOpen(login, NOW)).toBe(false)
  })

  test('as a message keeps nobody from being reminded, once for each step of the ladder', () => {
    const incident = { id: 'x', kind: 'login_needed', openedAt: then, toldAt: then } as const
    expect(isReminderDue(loginbroker, { settings: {} }, incident, NOW)).toBe(true)
    expect(isReminderDue(loginbroker, { settings: {} }, { ...incident, remindedAt: then }, NOW)).toBe(true)
    expect(isReminderDue(loginbroker, { settings: {} }, { ...incident, remindedAt: NOW }, NOW)).toBe(false)
  })

  test('as the time until which a request may still act leaves no doubt beyond a proof', () => {
    const state = newAccountState('loginbroker' as AccountId)
    const doubt = { since: then, by: 'approval', openUntil: then.add({ minutes: 15 }) } as const
    expect(settledBy({ ...state, doubt }, then)).toEqual({})
    expect(settledBy({ ...state, doubt }, NOW)).toEqual({ doubt: undefined })
  })
})

describe('what was written within the clock tolerance', () => {
  test('holds as if a clock that is right had written it', () => {
    const wait = leftAlone(new RateLimitedError('throttled', { retryAfterSeconds: 60 }), TOLERATED)
    expect(attemptAllowedAt({ minimumGapSeconds: 0 }, { attempts: [], ...wait }, ZONE, NOW)).toBeDefined()
    expect(attemptsLeftToday({ perDay: 3, minimumGapSeconds: 0 }, { attempts: [TOLERATED] }, ZONE, NOW)).toBe(
      2,
    )
    expect(withAttempt([TOLERATED], NOW).map(String)).toEqual([TOLERATED, NOW].map(String))
    const openUntil = TOLERATED.add({ minutes: 10 })
    expect(isApprovalOpen({ requestedAt: TOLERATED, openUntil, tried: 0 }, NOW)).toBe(true)
    const login = { id: 'x', browser: 'cli', startedAt: TOLERATED, openUntil, redirectUri: '' }
    expect(isOpen(login, NOW)).toBe(true)
    const block = { code: 'client_rejected', reason: '', stamps: {}, forcible: true } as const
    expect(isOver({ ...block, at: TOLERATED, until: openUntil }, NOW)).toBe(false)
    const told = { id: 'x', kind: 'login_needed', openedAt: NOW, toldAt: TOLERATED } as const
    expect(isReminderDue(loginbroker, { settings: {} }, told, NOW)).toBe(false)
  })
})

describe('a record of an earlier version, which does not say when it was written', () => {
  const gap = { minimumGapSeconds: 0 }
  const held = (notBefore: Temporal.Instant) =>
    attemptAllowedAt(gap, { attempts: [], notBefore }, ZONE, NOW) !== undefined

  test('holds for a wait of a day at the most', () => {
    expect(held(NOW.add({ hours: 24, minutes: 2 }))).toBe(true)
    expect(held(NOW.add({ hours: 24, minutes: 3 }))).toBe(false)
  })

  test('blocks until the next day at the most', () => {
    const block = { code: 'client_rejected', reason: '', stamps: {}, forcible: true } as const
    expect(isOver({ ...block, until: NOW.add({ hours: 25, minutes: 2 }) }, NOW)).toBe(false)
    expect(isOver({ ...block, until: NOW.add({ hours: 25, minutes: 3 }) }, NOW)).toBe(true)
    expect(isOver(block, NOW)).toBe(false)
  })
})

describe('an account whose store a clock a year ahead has written', () => {
  let world: LoginWorld
  let account: AccountId
  const daily = configured(loginbroker, { pacingSeconds: 0, approvalAt: '07:30' })

  beforeEach(async () => {
    world = await LoginWorld.open('2027-11-23T07:00:00+05:30')
    account = await world.loginAccount()
  })
  afterEach(() => world.close())

  const change = async (changes: StateChanges) => world.change(account, changes)

  test('can be logged in to: neither logins begun, codes exchanged nor a pause of the broker are in the way', async () => {
    for (let login = 0; login < 10; login++) await world.begin(account)
    const now = world.clock.now()
    const wait = leftAlone(new RateLimitedError('throttled', { retryAfterSeconds: 900 }), now)
    await change({
      exchanges: [now, now, now, now, now],
      ...wait,
      loginNotBefore: wait.notBefore,
      loginNotBeforeSetAt: now,
    })
    await expect(world.begin(account)).rejects.toThrow('rate_limited')
    world.clock.set('2026-11-23T07:00:00+05:30')
    expect(openLogins(await world.record(account), world.clock.now())).toEqual([])
    expect((await world.logIn(account)).success).toBe(true)
  })

  test('is asked by the broker’s app again, and its answer counts', async () => {
    await world.logIn(account)
    success(await world.logins.requestApproval({ account }))
    await world.ports.vault.remove(account, 'refresh_token')
    await world.ports.vault.remove(account, 'access_token')
    world.clock.set('2026-11-24T07:40:00+05:30')
    await world.run(daily)
    expect(world.simulator.approvalsAsked).toBe(2)
    await world.logins.acceptApproval({ account, body: world.simulator.webhookOf('SIM001') })
    expect((await world.record(account)).generation).toBe(2)
  })

  test('can have its parameters deleted and stored anew: none of them counts as an older read', async () => {
    await world.logIn(account)
    await world.logIn(account).catch(() => undefined)
    world.clock.advance({ minutes: 2 })
    await world.logIn(account)
    const [access, refresh] = [
      await world.stored(account, 'access_token'),
      await world.stored(account, 'refresh_token'),
    ]
    world.clock.set('2026-11-23T07:00:00+05:30')
    for (const name of ['access_token', 'refresh_token'] as const)
      await world.ports.vault.remove(account, name)
    await world.store(account, { access_token: access ?? '', refresh_token: refresh ?? '' })
    const record = await world.record(account)
    expect(record.accessToken?.version).toBeGreaterThan(1)
    expect((await readStored(world.ports, loginbroker, record)).get('access_token')?.version).toBe(1)
  })

  test('is renewed when a person insists, although the record says it was done a year from now', async () => {
    await world.logIn(account)
    world.clock.set('2026-11-23T07:00:00+05:30')
    const { report } = await world.run(loginbroker, { accounts: [account], force: true })
    expect(report.results).toMatchObject([{ outcome: 'refreshed', reason: 'forced' }])
  })

  test('keeps what was minted since: it is proven and published, though its record looks newer', async () => {
    await world.logIn(account)
    world.clock.set('2026-11-23T07:00:00+05:30')
    const now = world.clock.now()
    const { access } = world.simulator.openFamily('SIM001')
    await world.store(account, {
      pending: JSON.stringify({ accessToken: access, sentAt: now, expiresIn: 3_600, source: 'login' }),
    })
    await change({ pending: { mintedAt: now, source: 'login' } })
    await world.run(loginbroker)
    expect(await world.stored(account, 'access_token')).toBe(access)
  })
})
