import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TokenkeeperClient, TokenUnavailableError } from '../../lib/client/index.ts'
import { BrokerUnavailableError } from '../../lib/model/errors.ts'
import type { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { thrownBy } from '../support/thrown.ts'
import { keptClient, unavailableNow } from './support/kept-client.ts'
import type { KeptSource } from './support/kept-source.ts'

let clock: VirtualClock
let source: KeptSource
let client: TokenkeeperClient

beforeEach(() => {
  ;({ clock, source, client } = keptClient())
})
afterEach(() => client.close())

const failure = (work: Promise<unknown>) => thrownBy(work, TokenUnavailableError)

describe('a token from a warm client', () => {
  test('costs no call until a newer one is due', async () => {
    for (let minute = 0; minute < 19 * 60; minute += 10) {
      await client.getToken()
      await client.getToken({ minValidFor: '5m' })
      clock.advance({ minutes: 10 })
    }
    expect(source.asked).toEqual({ read: 1, report: 0, renew: 0, force: 0 })
  })

  test('is read again in the last five minutes, at most every five seconds', async () => {
    await client.getToken()
    clock.set('2026-11-24T03:25:00+05:30')
    for (let call = 0; call < 100; call++) await client.getToken()
    expect(source.asked.read).toBe(2)
    clock.set('2026-11-24T03:28:00+05:30')
    for (let call = 0; call < 100; call++) await client.getToken()
    expect(source.asked.read).toBeLessThanOrEqual(4)
    expect(source.asked.renew).toBe(0)
  })

  test('is the new one as soon as it is due and there is one', async () => {
    const [first] = [await client.getToken(), source.publish('2026-11-25T03:30:00+05:30')]
    expect((await client.getToken()).accessToken.equals(first.accessToken)).toBe(true)
    clock.set('2026-11-24T03:25:00+05:30')
    expect((await client.getToken()).generation).toBe(2)
  })

  test('is read once, however many ask at the same time', async () => {
    await Promise.all(Array.from({ length: 500 }, () => client.getToken()))
    expect(source.asked.read).toBe(1)
  })

  test('of unknown life is believed for a minute', async () => {
    source.publish()
    await client.getToken()
    clock.advance({ seconds: 59 })
    await client.getToken()
    expect(source.asked.read).toBe(1)
    clock.advance({ seconds: 2 })
    await client.getToken()
    expect(source.asked.read).toBe(2)
  })
})

describe('R1.4 a token that must last', () => {
  test('so long is given when it does', async () => {
    expect((await client.getToken({ minValidFor: '19h30m' })).generation).toBe(1)
    expect((await client.getToken({ minValidFor: 7_200, until: 'close' })).generation).toBe(1)
    expect(source.asked).toMatchObject({ read: 1, renew: 0 })
  })

  test('longer than it does is an early error that says until when it lives, and who acts', async () => {
    const error = await failure(client.getToken({ minValidFor: '20h' }))
    expect(error).toMatchObject({ code: 'too_short', actor: 'operator', account: 'upstox/ACC1' })
    expect(error.message).toBe(
      'no usable token for upstox/ACC1: it must last until Tue 24 Nov 04:00 IST, and dies Tue 24 Nov 03:30 IST',
    )
    expect(error.fix).toContain('tokenkeeper refresh upstox/ACC1')
  })

  test('is looked for and asked for once before that, and not by force', async () => {
    for (let call = 0; call < 50; call++) await failure(client.getToken({ minValidFor: '20h' }))
    expect(source.asked).toEqual({ read: 1, report: 0, renew: 1, force: 0 })
  })

  test('is the longer one that somebody has published meanwhile', async () => {
    await client.getToken()
    clock.advance({ minutes: 1 })
    source.publish('2026-11-25T03:30:00+05:30')
    expect((await client.getToken({ minValidFor: '20h' })).generation).toBe(2)
    expect(source.asked).toMatchObject({ read: 2, renew: 0 })
  })

  test('is renewed where that is due', async () => {
    source.next = () => source.token('2026-11-25T03:30:00+05:30')
    expect((await client.getToken({ minValidFor: '20h' })).generation).toBe(2)
    expect(source.asked).toMatchObject({ renew: 1, force: 0 })
  })

  test('is renewed by force only where the caller says so', async () => {
    const renew = source.renew.bind(source)
    source.renew = async (options) => {
      source.next = options.force ? () => source.token('2026-11-25T03:30:00+05:30') : undefined
      return renew(options)
    }
    expect((await failure(client.getToken({ minValidFor: '20h' }))).code).toBe('too_short')
    expect((await client.getToken({ minValidFor: '20h', force: true })).generation).toBe(2)
    expect(source.asked.force).toBe(1)
  })

  test('is an error where nobody can tell how long it lives', async () => {
    source.publish()
    expect(await failure(client.getToken({ minValidFor: 60 }))).toMatchObject({
      code: 'unknown_expiry',
      actor: 'operator',
    })
  })

  test('while a person must log in, is the error that says so', async () => {
    source.failures.push({ at: 'renew', error: unavailableNow('awaiting_login') })
    expect(await failure(client.getToken({ minValidFor: '20h' }))).toMatchObject({
      code: 'awaiting_login',
      actor: 'person',
    })
  })

  test('is told to be too short to a program that may only read', async () => {
    source.failures.push({ at: 'renew', error: unavailableNow('insufficient_scope') })
    expect((await failure(client.getToken({ minValidFor: '20h' }))).code).toBe('too_short')
  })
})

describe('a token that has died', () => {
  beforeEach(async () => {
    await client.getToken()
    clock.set('2026-11-24T03:29:30+05:30')
  })

  test('counts as dead a minute early, and is renewed', async () => {
    source.next = () => source.token('2026-11-25T03:30:00+05:30')
    expect((await client.getToken()).generation).toBe(2)
    expect(source.asked).toMatchObject({ read: 2, renew: 1 })
  })

  test('and has no successor is never given', async () => {
    expect(await failure(client.getToken())).toMatchObject({ code: 'expired', actor: 'wait' })
  })

  test('and cannot be renewed says who must act, and callers in a loop are no calls in a loop', async () => {
    source.failures.push({ at: 'renew', error: unavailableNow('awaiting_login') })
    for (let call = 0; call < 100; call++) {
      expect(await failure(client.getToken())).toMatchObject({ code: 'awaiting_login', actor: 'person' })
    }
    expect(source.asked).toMatchObject({ read: 2, renew: 1 })
  })
})

describe('a source that is away', () => {
  test('touches nobody while the known token lives', async () => {
    await client.getToken()
    clock.set('2026-11-24T03:26:00+05:30')
    source.failures.push({ at: 'read', error: unavailableNow('unreachable', 1) })
    expect((await client.getToken()).generation).toBe(1)
    expect((await client.getToken()).generation).toBe(1)
    expect(source.asked.read).toBe(2)
  })

  test('R2.7 is tried three times more, with growing pauses, where it says that it is soon back', async () => {
    for (let times = 0; times < 3; times++) {
      source.failures.push({ at: 'read', error: unavailableNow('unreachable', 1) })
    }
    const before = clock.now()
    expect((await client.getToken()).generation).toBe(1)
    expect(source.asked.read).toBe(4)
    expect(before.until(clock.now()).total('seconds')).toBe(7)
  })

  test('for longer than anybody waits is an error at once', async () => {
    source.failures.push({ at: 'read', error: unavailableNow('rate_limited', 60) })
    expect(await failure(client.getToken())).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 60 })
    expect(source.asked.read).toBe(1)
  })

  test('with an error of ours keeps its code, and names the account in the fix', async () => {
    const fix = 'run tokenkeeper doctor {account}'
    source.failures.push({ at: 'read', error: new BrokerUnavailableError('the broker is away', { fix }) })
    expect(await failure(client.getToken())).toMatchObject({
      code: 'broker_unavailable',
      actor: 'wait',
      fix: 'run tokenkeeper doctor upstox/ACC1',
    })
  })

  test('with a bug is told by its kind only', async () => {
    source.failures.push({ at: 'read', error: new RangeError('CANARY-in-a-message') })
    const error = await failure(client.getToken())
    expect(error.message).toContain('RangeError')
    expect(error.message).not.toContain('CANARY')
  })
})

describe('R4.2 by name', () => {
  test('isTokenExpiringSoon counts half an hour, inclusive', async () => {
    expect(await client.isTokenExpiringSoon()).toBe(false)
    clock.set('2026-11-24T02:59:59+05:30')
    expect(await client.isTokenExpiringSoon()).toBe(false)
    clock.set('2026-11-24T03:00:00+05:30')
    expect(await client.isTokenExpiringSoon()).toBe(true)
    expect(await client.isTokenExpiringSoon(29)).toBe(false)
    expect(source.asked.renew).toBe(0)
  })

  test('isTokenExpiringSoon reads a token that has died every five seconds, however often it is asked', async () => {
    await client.getToken()
    clock.set('2026-11-24T03:30:00+05:30')
    for (let call = 0; call < 50; call++) expect(await client.isTokenExpiringSoon()).toBe(true)
    expect(source.asked.read).toBe(2)
    source.publish('2026-11-25T03:30:00+05:30')
    clock.advance({ seconds: 5 })
    expect(await client.isTokenExpiringSoon()).toBe(false)
    expect(source.asked).toMatchObject({ read: 3, renew: 0 })
  })

  test('isTokenExpiringSoon says yes where there is no token', async () => {
    source.failures.push({ at: 'read', error: unavailableNow('no_token') })
    expect(await client.isTokenExpiringSoon()).toBe(true)
  })

  test('refreshToken renews by force, once however many ask at the same time', async () => {
    source.next = () => source.token('2026-11-25T03:30:00+05:30')
    const tokens = await Promise.all(Array.from({ length: 100 }, () => client.refreshToken()))
    expect(new Set(tokens.map(({ generation }) => generation))).toEqual(new Set([2]))
    expect(source.asked.force).toBe(1)
  })

  test('authenticate leaves a live token alone, and renews it by force', async () => {
    expect((await client.authenticate()).generation).toBe(1)
    expect(source.asked).toMatchObject({ renew: 0, force: 0 })
    source.next = () => source.token('2026-11-25T03:30:00+05:30')
    expect((await client.authenticate({ force: true })).generation).toBe(2)
    expect(source.asked.force).toBe(1)
  })

  test('authenticate gets a token where there is none yet', async () => {
    source.published = undefined
    source.failures.push({ at: 'read', error: unavailableNow('no_token') })
    source.next = () => source.token('2026-11-24T03:30:00+05:30')
    expect((await client.authenticate()).generation).toBe(2)
  })
})

describe('R4.1 ensureValidToken', () => {
  test('costs no call while more than half an hour is left', async () => {
    await client.ensureValidToken()
    clock.set('2026-11-24T02:59:59+05:30')
    await client.ensureValidToken()
    expect(source.asked).toMatchObject({ read: 1, renew: 0 })
  })

  test('renews with half an hour left', async () => {
    await client.ensureValidToken()
    clock.set('2026-11-24T03:00:00+05:30')
    source.next = () => source.token('2026-11-25T03:30:00+05:30')
    expect((await client.ensureValidToken()).generation).toBe(2)
  })

  test('renews earlier where the caller wants it', async () => {
    source.next = () => source.token('2026-11-25T03:30:00+05:30')
    expect((await client.ensureValidToken(20 * 60)).generation).toBe(2)
  })

  test('R1.5 keeps a live token that cannot be renewed, and asks at most twice a minute', async () => {
    await client.ensureValidToken()
    clock.set('2026-11-24T03:00:00+05:30')
    for (let second = 0; second < 60; second++) {
      expect((await client.ensureValidToken()).generation).toBe(1)
      clock.advance({ seconds: 1 })
    }
    expect(source.asked.renew).toBe(2)
  })

  test('R1.5 keeps a live token while nobody can renew it', async () => {
    await client.ensureValidToken()
    clock.set('2026-11-24T03:00:00+05:30')
    source.failures.push({ at: 'renew', error: unavailableNow('awaiting_login') })
    expect((await client.ensureValidToken()).generation).toBe(1)
    clock.set('2026-11-24T03:29:30+05:30')
    source.failures.push({ at: 'renew', error: unavailableNow('awaiting_login') })
    expect((await failure(client.ensureValidToken())).code).toBe('awaiting_login')
  })
})
