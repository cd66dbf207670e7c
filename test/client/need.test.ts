import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import { neededUntil, secondsIn, type TokenLifeNeeded } from '../../lib/client/need.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'

describe('a time span', () => {
  test.each([
    ['45s', 45],
    ['30m', 1_800],
    ['2h', 7_200],
    ['1h30m', 5_400],
    ['1d', 86_400],
    ['1d2h3m4s', 93_784],
    [90, 90],
    [0, 0],
    [0.5, 0.5],
  ])('%s is %d s', (given, seconds) => expect(secondsIn(given)).toBe(seconds))

  test.each(['', ' ', 'h', '2', '2 hours', '-2h', '1m1h', '1.5h', 'P1D', '99999999999s'])(
    'written as "%s" is refused',
    (given) => expect(() => secondsIn(given)).toThrow(ConfigurationError),
  )

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('of %d is refused', (given) =>
    expect(() => secondsIn(given)).toThrow(ConfigurationError),
  )
})

describe('how long a token must last', () => {
  const until = (need: TokenLifeNeeded, now: string): string | undefined =>
    neededUntil(need, upstox.tradingSession, Temporal.Instant.from(now))?.toString({
      timeZone: 'Asia/Kolkata',
    })

  test('R1.4 is counted from now', () => {
    expect(until({ minValidFor: '2h' }, '2026-11-23T10:00:00+05:30')).toBe('2026-11-23T12:00:00+05:30')
  })

  test.each([
    ['during the session', '2026-11-23T10:00:00+05:30', '2026-11-23T15:40:00+05:30'],
    ['before it', '2026-11-23T06:00:00+05:30', '2026-11-23T15:40:00+05:30'],
    ['after it: the next one, beyond a holiday', '2026-11-23T15:40:00+05:30', '2026-11-25T15:40:00+05:30'],
    ['on a Saturday: Monday’s', '2026-11-28T10:00:00+05:30', '2026-11-30T15:40:00+05:30'],
  ])('R1.4 until the close, %s', (_when, now, expected) => {
    expect(until({ until: 'close' }, now)).toBe(expected)
  })

  test('is the later of the two where both are asked for', () => {
    const now = '2026-11-23T15:00:00+05:30'
    expect(until({ until: 'close', minValidFor: '2h' }, now)).toBe('2026-11-23T17:00:00+05:30')
    expect(until({ until: 'close', minValidFor: '1m' }, now)).toBe('2026-11-23T15:40:00+05:30')
  })

  test('is nothing in particular without a wish', () => {
    expect(until({}, '2026-11-23T10:00:00+05:30')).toBeUndefined()
  })

  test('cannot be until the close where there is no market', () => {
    const now = Temporal.Instant.from('2026-11-23T10:00:00+05:30')
    expect(() => neededUntil({ until: 'close' }, undefined, now)).toThrow(ConfigurationError)
  })
})
