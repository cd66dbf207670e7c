import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { marketSession } from '../../../lib/markets/session.ts'
import type { AccessTokenRecord } from '../../../lib/model/account-state.ts'
import type { SessionModel } from '../../../lib/model/expiry/session-model.ts'
import { isMarketNear, leeway, wantsProof, whetherDue } from '../../../lib/tokens/rules/token/due.ts'
import { tokenRecord } from '../../support/token-record.ts'
import { weekdaySession } from '../../support/weekday-session.ts'

const NO_SETTINGS = { settings: {} }

const ROLLING: SessionModel = {
  timeZone: 'UTC',
  accessToken: { earliestOf: [{ kind: 'reply' }], otherwise: { kind: 'hours', hours: 12 } },
}
const WALL: SessionModel = {
  timeZone: 'Asia/Kolkata',
  accessToken: {
    earliestOf: [{ kind: 'jwt' }],
    otherwise: { kind: 'clock', at: '03:30', timeZone: 'Asia/Kolkata', day: 'first' },
  },
}
const NSE = weekdaySession({ timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' })

function token(issuedAt: string, expiresAt: string): AccessTokenRecord {
  return tokenRecord({ issuedAt: at(issuedAt), expiresAt: at(expiresAt) })
}

const at = (text: string): Temporal.Instant => Temporal.Instant.from(text)

describe('a rolling token', () => {
  const sixHours = token('2026-11-23T00:00:00Z', '2026-11-23T06:00:00Z')

  test.each([
    ['2026-11-23T03:59:59Z', false],
    ['2026-11-23T04:00:00Z', true],
    ['2026-11-23T06:00:01Z', true],
  ])('of six hours is due when a third of its life is left (%s: %s)', (now, due) => {
    expect(whetherDue(sixHours, ROLLING, {}, at(now)).due).toBe(due)
  })

  test('R4.1 with a leeway of 30 minutes is due at exactly 30 minutes', () => {
    const pos = token('2025-07-12T03:52:00Z', '2025-07-12T15:52:00Z')
    expect(whetherDue(pos, ROLLING, { leewayMinutes: 30 }, at('2025-07-12T15:21:59Z')).due).toBe(false)
    expect(whetherDue(pos, ROLLING, { leewayMinutes: 30 }, at('2025-07-12T15:22:00Z')).due).toBe(true)
  })

  test('counts as dead a minute early', () => {
    expect(whetherDue(sixHours, ROLLING, {}, at('2026-11-23T05:58:59Z')).expired).toBe(false)
    expect(whetherDue(sixHours, ROLLING, {}, at('2026-11-23T05:59:00Z')).expired).toBe(true)
  })
})

describe('a token that dies at a wall-clock time', () => {
  const upstox = token('2026-11-23T08:00:00+05:30', '2026-11-24T03:30:00+05:30')

  test('R1.3 with a leeway of 24 h is not renewed by each run: a new one would not live longer', () => {
    for (const now of [
      '2026-11-23T08:10:00+05:30',
      '2026-11-23T14:00:00+05:30',
      '2026-11-24T03:29:50+05:30',
    ]) {
      const due = whetherDue(upstox, WALL, { leewayMinutes: 24 * 60 }, at(now))
      expect(due).toMatchObject({ due: false, reason: 'a new access token would not live longer' })
    }
  })

  test('is due once its time has passed', () => {
    expect(whetherDue(upstox, WALL, {}, at('2026-11-24T03:30:00+05:30'))).toMatchObject({
      due: true,
      expired: true,
    })
  })
})

describe('the trading session', () => {
  const ceiling: SessionModel = { ...ROLLING, timeZone: 'Asia/Kolkata' }
  const from3 = token('2026-11-23T03:00:00+05:30', '2026-11-23T15:00:00+05:30')

  test('R0.7 a token that dies before the close is due as soon as a new one would live longer', () => {
    expect(whetherDue(from3, ceiling, {}, at('2026-11-23T07:30:00+05:30'), NSE)).toMatchObject({
      due: true,
      expired: false,
      reason: 'the access token would die before the market closes',
    })
    expect(whetherDue(from3, ceiling, {}, at('2026-11-23T07:30:00+05:30')).due).toBe(false)
  })

  test('counts on a holiday too: a renewal that needs nobody is left out for no mistake of a calendar', () => {
    const holiday = token('2026-11-24T03:00:00+05:30', '2026-11-24T15:00:00+05:30')
    const session = marketSession(['in-equity', 'in-fno'])
    expect(whetherDue(holiday, ceiling, {}, at('2026-11-24T07:30:00+05:30'), session)).toMatchObject({
      due: true,
      reason: 'the access token would die before the market closes',
    })
    expect(isMarketNear(session, at('2026-11-24T07:30:00+05:30'))).toBe(false)
    expect(isMarketNear(session, at('2026-11-25T07:30:00+05:30'))).toBe(true)
  })

  test('does not matter at the weekend or after the close', () => {
    const saturday = token('2026-11-21T03:00:00+05:30', '2026-11-21T15:00:00+05:30')
    expect(whetherDue(saturday, ceiling, {}, at('2026-11-21T07:30:00+05:30'), NSE).due).toBe(false)
    const evening = token('2026-11-23T15:31:00+05:30', '2026-11-24T03:31:00+05:30')
    expect(whetherDue(evening, ceiling, {}, at('2026-11-23T16:00:00+05:30'), NSE).due).toBe(false)
  })
})

describe('a proof for today’s session', () => {
  const nightly = token('2026-11-23T03:00:00+05:30', '2026-11-24T06:00:00+05:30')
  const tillSeven = token('2026-11-23T03:00:00+05:30', '2026-11-23T07:00:00+05:30')
  const sunday = token('2026-11-22T03:00:00+05:30', '2026-11-24T06:00:00+05:30')
  const atSix = token('2026-11-23T06:15:00+05:30', '2026-11-24T06:00:00+05:30')
  const nearOpen = token('2026-11-23T08:30:00+05:30', '2026-11-24T06:00:00+05:30')

  test.each([
    ['before the three hours begin', nightly, '2026-11-23T06:14:59+05:30', false],
    ['three hours before the open', nightly, '2026-11-23T06:15:00+05:30', true],
    ['while the market is open', nightly, '2026-11-23T15:29:59+05:30', true],
    ['after the close', nightly, '2026-11-23T15:30:00+05:30', false],
    ['on a Sunday', sunday, '2026-11-22T09:00:00+05:30', false],
    ['when there has been one this morning', atSix, '2026-11-23T08:29:59+05:30', false],
    ['45 minutes before the open, when that one is from before', atSix, '2026-11-23T08:30:00+05:30', true],
    ['when there has been one near the open', nearOpen, '2026-11-23T09:14:00+05:30', false],
    ['in the open market, when none came near the open', atSix, '2026-11-23T11:00:00+05:30', true],
    ['of a token that dies before the open', tillSeven, '2026-11-23T06:30:00+05:30', false],
  ])('%s', (_, of, now, wanted) => {
    expect(wantsProof(of, { tradingSession: NSE }, NO_SETTINGS, at(now))).toBe(wanted)
  })
})

describe('how near the open a token is proven once more', () => {
  const sixFifteen = token('2026-11-23T06:15:00+05:30', '2026-11-24T06:00:00+05:30')

  test.each([
    [20, '2026-11-23T08:54:59+05:30', false],
    [20, '2026-11-23T08:55:00+05:30', true],
    [120, '2026-11-23T07:15:00+05:30', true],
    [180, '2026-11-23T08:00:00+05:30', false],
  ])('is the owner’s to choose: %d minutes, at %s: %s', (proveMinutesBeforeOpen, now, wanted) => {
    expect(
      wantsProof(sixFifteen, { tradingSession: NSE, proveMinutesBeforeOpen }, NO_SETTINGS, at(now)),
    ).toBe(wanted)
  })
})

describe('leeway', () => {
  test.each([
    [{ hours: 6 }, {}, {}, 120],
    [{ hours: 1 }, {}, {}, 30],
    [{ minutes: 30 }, {}, {}, 10],
    [{ hours: 12 }, { leewayMinutes: 30 }, {}, 30],
    [{ hours: 12 }, { leewayMinutes: 30 }, { leewayMinutes: 45 }, 45],
    [{ hours: 19 }, {}, { leewayMinutes: 1440 }, (19 * 60) / 3],
  ])('of a life of %o with model %o and settings %o is %d minutes', (life, model, settings, minutes) => {
    expect(leeway(Temporal.Duration.from(life), { ...ROLLING, ...model }, settings)).toBe(minutes)
  })
})

test.each([[['in-equity', 'us-equity']], [['us-equity', 'in-equity']]] as const)(
  'a token that dies in the session is due in its morning, in whatever order markets are named: %s',
  (markets) => {
    const at = Temporal.Instant.from
    const token = tokenRecord({
      issuedAt: at('2026-11-29T06:00:00Z'),
      expiresAt: at('2026-11-30T06:00:00Z'),
      provenAt: at('2026-11-30T01:00:00Z'),
    })
    const model: SessionModel = {
      timeZone: 'Asia/Kolkata',
      accessToken: { earliestOf: [{ kind: 'reply' }], otherwise: { kind: 'hours', hours: 24 } },
    }
    // 09:20 in India, and still Sunday evening's date in New York a moment ago.
    const now = at('2026-11-30T03:50:00Z')
    const due = whetherDue(token, model, { leewayMinutes: 30 }, now, marketSession(markets))
    expect(due).toMatchObject({ due: true, reason: 'the access token would die before the market closes' })
  },
)
