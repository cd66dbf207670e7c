import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import type { AccountState } from '../../../lib/model/account-state.ts'
import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { decide } from '../../../lib/tokens/rules/decide/decide.ts'
import type { Decision } from '../../../lib/tokens/rules/decide/decision.ts'
import { tokenRecord } from '../../support/token-record.ts'
import { weekdaySession } from '../../support/weekday-session.ts'
import { ALL, DUE, LADDER, state, stored } from './support/ladder.ts'

test.each([
  ['2026-11-23T03:00:00+05:30', 'fresh'],
  ['2026-11-23T06:15:00+05:30', 'ask'],
  ['2026-11-22T10:00:00+05:30', 'fresh'],
])('nobody is asked at night or on a Sunday for a token that still lives (%s: %s)', (at, action) => {
  const now = Temporal.Instant.from(at)
  const account = state({}, DUE)
  const token = account.accessToken as NonNullable<AccountState['accessToken']>
  const decision = decide({
    broker: {
      ...LADDER,
      tradingSession: weekdaySession({ timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' }),
    },
    state: { ...account, accessToken: { ...token, provenAt: now, expiresAt: now.add({ minutes: DUE }) } },
    stored: stored('client_id', 'access_token'),
    now,
  })
  expect(decision).toMatchObject({ action })
})

describe('where only a person can help on a market', () => {
  const market: Broker = {
    ...LADDER,
    tradingSession: weekdaySession({ timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' }),
    session: {
      timeZone: 'Asia/Kolkata',
      accessToken: {
        earliestOf: [{ kind: 'jwt' }],
        otherwise: { kind: 'clock', at: '06:00', timeZone: 'Asia/Kolkata', day: 'first' },
      },
    },
  }
  const at = (time: string): Temporal.Instant => Temporal.Instant.from(`2026-11-${time}:00+05:30`)
  const decided = (time: string, names: readonly SecretName[], more: Partial<AccountState> = {}): Decision =>
    decide({ broker: market, state: { ...state(more), ...more }, stored: stored(...names), now: at(time) })

  test.each([
    ['27T20:00', 'ask_later'],
    ['30T05:59', 'ask_later'],
    ['30T06:00', 'ask'],
    ['30T12:00', 'ask'],
    ['30T16:00', 'ask_later'],
  ])('on %s: %s', (time, action) => {
    const from = time < '30T12:00' ? at('30T06:00') : Temporal.Instant.from('2026-12-01T06:00:00+05:30')
    const decision = decided(time, ['client_id'])
    expect(decision).toMatchObject(action === 'ask' ? { action } : { action, from })
  })

  test('an unattended grant is used all the same', () => {
    expect(decided('27T20:00', ALL, { refusedVersion: 3 })).toMatchObject({ action: 'refresh' })
  })

  test('a grant that is held back till later is waited for until a login helps', () => {
    const attempts = [4, 3, 2, 1].map((hours) => at('27T20:00').subtract({ hours }))
    const spent = { attempts, refusedVersion: 3 }
    expect(decided('27T20:00', ['client_id', 'password'], spent)).toMatchObject({ action: 'wait' })
    const monday = {
      attempts: [4, 3, 2, 1].map((hours) => at('30T07:00').subtract({ hours })),
      refusedVersion: 3,
    }
    expect(decided('30T07:00', ['client_id', 'password'], monday)).toMatchObject({ action: 'ask' })
  })

  test('a live token stays what it is where the owner’s ceiling lets no login help yet', () => {
    const now = at('30T06:30')
    const accessToken = tokenRecord({
      issuedAt: now.subtract({ minutes: 40 }),
      expiresAt: now.add({ minutes: 20 }),
      provenAt: now,
      version: 3,
    })
    const more = { accessToken, settings: { maxLifetimeHours: 1 } }
    expect(decided('30T06:30', ['client_id', 'access_token'], more)).toMatchObject({
      action: 'fresh',
      reason: expect.stringMatching(/; a login helps from Mon 30 Nov 08:16 IST$/),
    })
  })
})
