import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { isBrokenJwt, jwtExpiry } from '../../lib/model/expiry/jwt.ts'
import { expectedExpiry, expiryOf, issuedFrom, nextClock } from '../../lib/model/expiry/session-model.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { simulatedJwt } from '../../lib/simulators/kit/simulated-token.ts'

const instant = (text: string): Temporal.Instant => Temporal.Instant.from(text)
const opaque = new Secret('opaque-token-0001')

describe('nextClock', () => {
  // Vectors for the clocks of FYERS and Upstox (their READMEs, Expiry).
  test.each([
    ['06:00', '2026-02-18T12:29:00+05:30', 1771461000],
    ['06:00', '2026-02-18T02:15:00+05:30', 1771374600],
    ['06:00', '2026-02-18T06:00:00+05:30', 1771461000],
    ['03:30', '2026-06-10T13:29:00+05:30', 1781128800],
    ['03:30', '2026-06-10T02:30:00+05:30', 1781042400],
    ['03:30', '2026-09-12T13:57:47+05:30', 1789250400],
    ['03:30', '2026-09-14T08:00:00+05:30', 1789423200],
  ])('%s IST strictly after %s', (at, issued, epochSeconds) => {
    const next = nextClock({ at, timeZone: 'Asia/Kolkata', day: 'first' }, instant(issued))
    expect(next.epochMilliseconds).toBe(epochSeconds * 1000)
  })

  test('the next calendar day is another one even before the clock time', () => {
    const rule = { at: '06:00', timeZone: 'Asia/Kolkata', day: 'next' } as const
    expect(nextClock(rule, instant('2026-11-23T03:00:00+05:30'))).toEqual(
      instant('2026-11-24T06:00:00+05:30'),
    )
  })

  test.each([
    ['2026-03-07T20:00:00-05:00', '2026-03-08T00:00:00-05:00'],
    ['2026-03-08T01:00:00-05:00', '2026-03-09T00:00:00-04:00'],
    ['2026-11-01T01:30:00-04:00', '2026-11-02T00:00:00-05:00'],
  ])('midnight in New York follows daylight saving (%s)', (issued, expected) => {
    const rule = { at: '00:00', timeZone: 'America/New_York', day: 'first' } as const
    expect(nextClock(rule, instant(issued))).toEqual(instant(expected))
  })

  test('is always later than the issue, by at most 25 hours, in any zone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 946_684_800, max: 4_102_444_800 }),
        fc.constantFrom('Asia/Kolkata', 'America/New_York', 'UTC', 'Australia/Lord_Howe', 'Europe/Dublin'),
        fc.integer({ min: 0, max: 23 }),
        (seconds, timeZone, hour) => {
          const issued = Temporal.Instant.fromEpochMilliseconds(seconds * 1000)
          const next = nextClock(
            { at: `${String(hour).padStart(2, '0')}:30`, timeZone, day: 'first' },
            issued,
          )
          const hours = issued.until(next).total('hours')
          return hours > 0 && hours <= 25
        },
      ),
    )
  })
})

describe('jwtExpiry', () => {
  const at = instant('2026-11-23T07:00:00+05:30')

  test('is the exp claim', () => {
    const expiresAt = at.add({ hours: 20 })
    expect(jwtExpiry(new Secret(simulatedJwt({}, { issuedAt: at, expiresAt })))).toEqual(expiresAt)
  })

  test.each(['garbage', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.', '....', 'eyJhbGciOiJIUzI1NiJ9.bm90IGpzb24.x'])(
    'is unknown for %s',
    (token) => expect(jwtExpiry(new Secret(token))).toBeUndefined(),
  )

  test.each([1771461000, '1771461000', 1771461000000, '1771461000000', 1771461000.9])(
    'is read as text and in milliseconds too: %j',
    (exp) => {
      const body = Buffer.from(JSON.stringify({ exp })).toString('base64url')
      const expiresAt = jwtExpiry(new Secret(`eyJhbGciOiJIUzI1NiJ9.${body}.c2ln`))
      expect(expiresAt?.toString({ smallestUnit: 'second' })).toBe('2026-02-19T00:30:00Z')
    },
  )

  test.each([
    'eyJhbGciOiJIUzI1NiJ9',
    'eyJhbGciOiJIUzI1NiJ9.e30',
    'eyJhbGci.e3.c2ln',
    'eyJhbGciOiJIUzI1NiJ9.eyJl.c2ln',
  ])('a JWT that was cut or changed is known for one, and breaks nothing: %s', (text) => {
    expect(isBrokenJwt(new Secret(text))).toBe(true)
    expect(jwtExpiry(new Secret(text))).toBeUndefined()
  })

  test.each([1e18, -5, 0, Number.MAX_SAFE_INTEGER, 'tomorrow', null, {}])(
    'ignores an exp that cannot be one: %s',
    (exp) => {
      const body = Buffer.from(JSON.stringify({ exp })).toString('base64url')
      expect(jwtExpiry(new Secret(`eyJhbGciOiJIUzI1NiJ9.${body}.c2ln`))).toBeUndefined()
    },
  )

  test('never throws, whatever the token is', () => {
    fc.assert(fc.property(fc.string(), (text) => void jwtExpiry(new Secret(text))))
  })
})

describe('expiryOf', () => {
  const at = instant('2026-11-23T03:00:00+05:30')
  const clock = { kind: 'clock', at: '06:00', timeZone: 'Asia/Kolkata', day: 'next' } as const

  test('the earliest rule decides, and is named', () => {
    const token = new Secret(simulatedJwt({}, { issuedAt: at, expiresAt: at.add({ hours: 24 }) }))
    const lifetime = {
      earliestOf: [{ kind: 'jwt' }, { kind: 'hours', hours: 30 }],
      otherwise: clock,
    } as const
    expect(expiryOf(lifetime, { token, at })).toEqual({
      expiresAt: at.add({ hours: 24 }),
      decidedBy: "the token's own exp",
    })
  })

  test('the fallback decides only when no rule knows', () => {
    const lifetime = { earliestOf: [{ kind: 'jwt' }], otherwise: clock } as const
    expect(expiryOf(lifetime, { token: opaque, at })).toEqual({
      expiresAt: instant('2026-11-24T06:00:00+05:30'),
      decidedBy: '06:00 Asia/Kolkata',
    })
  })

  test('R0.7 a local ceiling of 12 hours ends the token earlier but never later', () => {
    const lifetime = { earliestOf: [{ kind: 'jwt' }], otherwise: clock } as const
    expect(expiryOf(lifetime, { token: opaque, at }, 12)).toMatchObject({ expiresAt: at.add({ hours: 12 }) })
    const short = new Secret(simulatedJwt({}, { issuedAt: at, expiresAt: at.add({ hours: 2 }) }))
    expect(expiryOf(lifetime, { token: short, at }, 12)).toMatchObject({ expiresAt: at.add({ hours: 2 }) })
    expect(expiryOf(lifetime, { token: opaque, at }, 100)).toMatchObject({ decidedBy: '06:00 Asia/Kolkata' })
  })

  test('expires_in counts from the moment the request was sent', () => {
    const lifetime = { earliestOf: [{ kind: 'reply' }], otherwise: { kind: 'hours', hours: 12 } } as const
    expect(expiryOf(lifetime, { token: opaque, at, expiresIn: 1800 }).expiresAt).toEqual(
      at.add({ minutes: 30 }),
    )
    expect(expiryOf(lifetime, { token: opaque, at }).expiresAt).toEqual(at.add({ hours: 12 }))
  })
})

describe('expectedExpiry', () => {
  const at = instant('2026-11-23T21:00:00+05:30')

  test('of a wall-clock token does not depend on the time of issue', () => {
    const lifetime = {
      earliestOf: [{ kind: 'jwt' }],
      otherwise: { kind: 'clock', at: '03:30', timeZone: 'Asia/Kolkata', day: 'first' },
    } as const
    expect(expectedExpiry(lifetime, at)).toEqual(instant('2026-11-24T03:30:00+05:30'))
  })

  test('of a token whose reply tells is guessed from the last one', () => {
    const lifetime = { earliestOf: [{ kind: 'reply' }], otherwise: { kind: 'hours', hours: 12 } } as const
    expect(expectedExpiry(lifetime, at, Temporal.Duration.from({ minutes: 20 }))).toEqual(
      at.add({ minutes: 20 }),
    )
    expect(expectedExpiry(lifetime, at)).toEqual(at.add({ hours: 12 }))
  })
})

describe('issuedFrom', () => {
  const after = instant('2026-11-30T09:15:00+05:30')
  const clock = (at: string, day: 'first' | 'next') =>
    ({ kind: 'clock', at, timeZone: 'Asia/Kolkata', day }) as const

  test.each([
    ['the last such time before', clock('06:00', 'first'), '2026-11-30T06:00:00+05:30'],
    ['the day before, where it is later in the day', clock('15:30', 'first'), '2026-11-29T15:30:00+05:30'],
    ['midnight, where the next day counts', clock('06:00', 'next'), '2026-11-30T00:00:00+05:30'],
    ['midnight before, where that is later in the day', clock('15:30', 'next'), '2026-11-29T00:00:00+05:30'],
    ['a life before, and a second', { kind: 'hours', hours: 12 } as const, '2026-11-29T21:15:01+05:30'],
  ])('is %s', (_, rule, from) => {
    const lifetime = { earliestOf: [rule], otherwise: rule }
    expect(issuedFrom(lifetime, after)).toEqual(instant(from))
  })

  test('is the last of what several rules say, the owner’s ceiling among them', () => {
    const lifetime = { earliestOf: [clock('03:30', 'first')], otherwise: clock('06:00', 'first') }
    expect(issuedFrom(lifetime, after)).toEqual(instant('2026-11-30T06:00:00+05:30'))
    expect(issuedFrom(lifetime, after, undefined, 2)).toEqual(instant('2026-11-30T07:15:01+05:30'))
  })

  test('is not known where only the reply tells, until one has', () => {
    const lifetime = { earliestOf: [{ kind: 'reply' }], otherwise: { kind: 'hours', hours: 1 } } as const
    expect(issuedFrom(lifetime, after)).toBeUndefined()
    expect(issuedFrom(lifetime, after, Temporal.Duration.from({ hours: 6 }))).toEqual(
      instant('2026-11-30T03:15:01+05:30'),
    )
  })
})
