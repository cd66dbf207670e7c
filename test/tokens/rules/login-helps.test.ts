import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { fyers } from '../../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import { posConnector } from '../../../lib/brokers/pos-connector/pos-connector.ts'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import { zerodha } from '../../../lib/brokers/zerodha/zerodha.ts'
import { presentTradingDay } from '../../../lib/markets/trading-day.ts'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import {
  type AccessTokenRecord,
  type AccountState,
  newAccountState,
} from '../../../lib/model/account-state.ts'
import { expectedExpiry, type Lifetime } from '../../../lib/model/expiry/session-model.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { StoredSecret } from '../../../lib/ports/token-vault.ts'
import { decide } from '../../../lib/tokens/rules/decide/decide.ts'
import { loginHelpsFrom } from '../../../lib/tokens/rules/token/login-helps.ts'
import { tokenRecord } from '../../support/token-record.ts'
import { weekdaySession } from '../../support/weekday-session.ts'

const ist = (text: string): Temporal.Instant => Temporal.Instant.from(`2026-11-${text}:00+05:30`)

function account(more: Partial<AccountState> = {}): AccountState {
  return { ...newAccountState(parseAccountId('fyers')), ...more }
}

describe('a login helps', () => {
  test.each<[Broker, string, string | undefined]>([
    [fyers, '27T20:00', '30T06:00'],
    [zerodha, '27T20:00', '30T06:00'],
    [upstox, '27T20:00', '30T03:30'],
    [iifl, '27T20:00', '30T00:00'],
    [fyers, '28T09:00', '30T06:00'],
    [fyers, '30T05:59', '30T06:00'],
    [fyers, '30T06:00', undefined],
    // The token lives into the rest of the session that is on.
    [fyers, '30T10:00', undefined],
    [fyers, '30T15:40', '2026-12-01T06:00:00+05:30'],
    [posConnector, '28T09:00', undefined],
  ])('%o: on %s only from %s', ({ tradingSession, session }, now, from) => {
    const expected = from && (from.includes('+') ? Temporal.Instant.from(from) : ist(from))
    const broker = { session, ...(tradingSession && { tradingSession }) }
    expect(loginHelpsFrom(broker, account(), ist(now))).toEqual(expected)
  })

  test('no earlier than the owner’s ceiling on a token’s age leaves it alive at the open', () => {
    const settings = { maxLifetimeHours: 2 }
    expect(loginHelpsFrom(fyers, account({ settings }), ist('30T06:30'))).toEqual(
      Temporal.Instant.from('2026-11-30T07:16:01+05:30'),
    )
    const strict = { ...fyers, session: { ...fyers.session, maxLifetimeHours: 1 } }
    expect(loginHelpsFrom(strict, account(), ist('30T06:30'))).toEqual(
      Temporal.Instant.from('2026-11-30T08:16:01+05:30'),
    )
  })

  describe('where only reply and token tell how long one lives', () => {
    const told: Lifetime = { earliestOf: [{ kind: 'reply' }], otherwise: { kind: 'hours', hours: 1 } }
    const broker = { ...fyers, session: { timeZone: 'Asia/Kolkata', accessToken: told } }
    const last = (source: AccessTokenRecord['source'], hours: number): Partial<AccountState> => {
      const issuedAt = ist('26T08:00')
      const times = { issuedAt, expiresAt: issuedAt.add({ hours }) }
      return { accessToken: tokenRecord({ ...times, ...(source && { source }) }) }
    }

    test.each<[string, Partial<AccountState>, string | undefined]>([
      ['as the last login did', last('login', 12), '29T21:16'],
      ['at once where none is known: nobody is kept from helping by a guess', {}, undefined],
      ['at once where the last token came another way', last('refresh_token', 12), undefined],
      ['at once where the last login’s was cut short', last('login', 1), undefined],
    ])('%s', (_, more, from) => {
      const found = loginHelpsFrom(broker, account(more), ist('27T20:00'))
      expect(found?.toString()).toBe(from && ist(from).add({ seconds: 1 }).toString())
    })
  })
})

const ZONES = ['Asia/Kolkata', 'America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'UTC'] as const
const HOURS = fc.integer({ min: 0, max: 23 }).map((hour) => `${String(hour).padStart(2, '0')}:30`)
const CLOCK = fc.record({
  kind: fc.constant('clock' as const),
  at: HOURS,
  timeZone: fc.constantFrom(...ZONES),
  day: fc.constantFrom('first' as const, 'next' as const),
})
const LIFE = fc.record({ kind: fc.constant('hours' as const), hours: fc.integer({ min: 1, max: 60 }) })
const MODEL = fc.oneof(
  fc
    .tuple(CLOCK, CLOCK)
    .map(([one, two]): Lifetime => ({ earliestOf: [{ kind: 'jwt' }, one], otherwise: two })),
  fc.tuple(LIFE, LIFE).map(([one, two]): Lifetime => ({ earliestOf: [one], otherwise: two })),
)
/** Whole weeks around both US switches of 2026, and around none. */
const WEEKS = ['2026-03-04T00:00:00Z', '2026-10-28T00:00:00Z', '2026-11-18T00:00:00Z'] as const
const INSTANT = fc
  .tuple(fc.constantFrom(...WEEKS), fc.integer({ min: 0, max: 7 * 86_400 }))
  .map(([week, seconds]) => Temporal.Instant.from(week).add({ seconds }))
const BROKER = fc
  .record({ model: MODEL, zone: fc.constantFrom(...ZONES), opens: fc.integer({ min: 4, max: 12 }) })
  .map(({ model, zone, opens }): Broker => {
    const at = (hour: number): string => `${String(hour).padStart(2, '0')}:15`
    return {
      ...zerodha,
      grants: [],
      session: { timeZone: zone, accessToken: model },
      tradingSession: weekdaySession({ timeZone: zone, opens: at(opens), closes: at(opens + 6) }),
    }
  })
const CEILING = fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined })

describe('whatever the broker’s clocks, the market’s zone and the hour of the week', () => {
  const stored = new Map<SecretName, StoredSecret>(
    (['client_id', 'client_secret'] as const).map((name) => [
      name,
      { value: new Secret(`sim-${name}`), version: 1, modifiedAt: Temporal.Instant.from(WEEKS[0]) },
    ]),
  )
  /** Whether the token of a login made then lives into the session that is on, or else the next one. */
  const isCovered = (broker: Broker, at: Temporal.Instant, ceiling: number | undefined): boolean => {
    const ends = expectedExpiry(broker.session.accessToken, at, undefined, ceiling)
    const { opens } = presentTradingDay(broker.tradingSession as NonNullable<Broker['tradingSession']>, at)
    return ends !== undefined && Temporal.Instant.compare(ends, opens) > 0
  }

  test('who is asked gets a token that sees the market open', () => {
    fc.assert(
      fc.property(BROKER, INSTANT, CEILING, (broker, now, maxLifetimeHours) => {
        const settings = maxLifetimeHours === undefined ? {} : { maxLifetimeHours }
        const { action } = decide({ broker, state: account({ settings }), stored, now })
        expect(['ask', 'ask_later']).toContain(action)
        if (action === 'ask') expect(isCovered(broker, now, maxLifetimeHours)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('who is not is told the first instant at which it would, and that is before the open', () => {
    fc.assert(
      fc.property(BROKER, INSTANT, CEILING, (broker, now, maxLifetimeHours) => {
        const settings = maxLifetimeHours === undefined ? {} : { maxLifetimeHours }
        const from = loginHelpsFrom(broker, account({ settings }), now)
        if (!from) return
        const session = broker.tradingSession as NonNullable<Broker['tradingSession']>
        const { opens } = presentTradingDay(session, now)
        expect(Temporal.Instant.compare(from, opens)).toBeLessThan(1)
        expect(isCovered(broker, from, maxLifetimeHours)).toBe(true)
        // A token counts as dead in its last minute.
        const before = from.subtract({ minutes: 2 })
        const ends = expectedExpiry(broker.session.accessToken, before, undefined, maxLifetimeHours)
        expect(ends && Temporal.Instant.compare(ends, opens)).toBeLessThan(1)
      }),
      { numRuns: 2_000 },
    )
  })
})
