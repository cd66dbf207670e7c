import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { coverage, nextNeed, oldTokenSentence } from '../../lib/accounts/receipt.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { posConnector } from '../../lib/brokers/pos-connector/pos-connector.ts'
import { zerodha } from '../../lib/brokers/zerodha/zerodha.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { type AccountState, newAccountState, type TokenSource } from '../../lib/model/account-state.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { tokenRecord } from '../support/token-record.ts'
import { weekdaySession } from '../support/weekday-session.ts'

const SESSION = weekdaySession({ timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' })
/** 23 November 2026 is a Monday. */
const ist = (day: string, time: string): Temporal.Instant =>
  Temporal.Instant.from(`2026-11-${day}T${time}:00+05:30`)

describe('R0.7 whether a token covers the session', () => {
  test.each([
    ['before the open', '23 08:12', '24 06:00', "Covers today's session: yes, until 15:30."],
    ['in the session', '23 11:00', '24 06:00', "Covers today's session: yes, until 15:30."],
    ['until exactly the close', '23 08:12', '23 15:30', "Covers today's session: yes, until 15:30."],
    [
      'but dies before the close',
      '23 08:12',
      '23 14:00',
      "Covers today's session: no, it dies Mon 23 Nov 14:00 IST, before the close at 15:30.",
    ],
    [
      'but dies before the open',
      '23 02:30',
      '23 03:30',
      "Covers today's session: no, it dies Mon 23 Nov 03:30 IST, before the open at 09:15.",
    ],
    [
      'after the close, for the day after',
      '23 16:00',
      '24 06:00',
      'Covers the next session, Tue 24 Nov: no, it dies Tue 24 Nov 06:00 IST, before the open at 09:15.',
    ],
    [
      'after the close, through the day after',
      '23 16:00',
      '25 06:00',
      'Covers the next session, Tue 24 Nov: yes, until 15:30.',
    ],
    [
      'on a Saturday, for Monday',
      '28 10:00',
      '29 06:00',
      'Covers the next session, Mon 30 Nov: no, it dies Sun 29 Nov 06:00 IST, before the open at 09:15.',
    ],
    [
      'on a Friday after the close',
      '27 15:30',
      '30 18:00',
      'Covers the next session, Mon 30 Nov: yes, until 15:30.',
    ],
  ])('%s', (_, now, expires, sentence) => {
    const [day = '', time = ''] = now.split(' ')
    const [lastDay = '', lastTime = ''] = expires.split(' ')
    const found = coverage(SESSION, ist(lastDay, lastTime), ist(day, time))
    expect(found?.sentence).toBe(sentence)
    expect(found?.covers).toBe(sentence.includes(': yes'))
  })

  test('is no question where there is no market', () => {
    expect(coverage(undefined, ist('24', '06:00'), ist('23', '08:00'))).toBeUndefined()
  })
})

function account(
  broker: Broker,
  expires: [string, string] | undefined,
  more: Partial<AccountState> & { source?: TokenSource } = {},
): AccountState {
  const { source = 'login', ...changes } = more
  const issuedAt = ist('23', '08:00')
  const accessToken = expires && tokenRecord({ issuedAt, expiresAt: ist(...expires), source })
  return { ...newAccountState(parseAccountId(broker.id)), ...(accessToken && { accessToken }), ...changes }
}

const REFRESH_TOKEN = { savedAt: ist('23', '08:00'), version: 1 }

describe('the next need', () => {
  const now = ist('23', '08:10')

  test.each<[string, [string, string] | undefined, string]>([
    [
      'is before the first session the token does not reach',
      ['26', '06:00'],
      'Next login: before Thu 26 Nov 09:15 IST.',
    ],
    [
      'is before the token dies within a session',
      ['25', '12:00'],
      'Next login: before Wed 25 Nov 12:00 IST.',
    ],
    [
      'is before the session after the last one it lasts through',
      ['25', '16:00'],
      'Next login: before Thu 26 Nov 09:15 IST.',
    ],
    ['skips a holiday', ['24', '06:00'], 'Next login: before Wed 25 Nov 09:15 IST.'],
    ['skips the weekend', ['28', '06:00'], 'Next login: before Mon 30 Nov 09:15 IST.'],
    ['is now, where there is no token', undefined, 'A login is needed.'],
    [
      'is this morning, where the token has died',
      ['23', '06:00'],
      'Next login: before Mon 23 Nov 09:15 IST.',
    ],
  ])('%s', (_, expires, sentence) => {
    expect(nextNeed(fyers, account(fyers, expires), now)).toBe(sentence)
  })

  test.each<[string, [string, string], [string, string], string]>([
    ['a token that dies in the night', ['28', '06:00'], ['27', '20:00'], ', from Mon 06:00 on'],
    ['a token that has died', ['27', '06:00'], ['28', '12:00'], ', from Mon 06:00 on'],
    ['a token that has died, on the morning itself', ['28', '06:00'], ['30', '06:00'], ''],
  ])('says from when, where a login would be too early for it: %s', (_, expires, at, from) => {
    expect(nextNeed(fyers, account(fyers, expires), ist(...at))).toBe(
      `Next login: before Mon 30 Nov 09:15 IST${from}.`,
    )
  })

  test('is nobody’s, where a refresh token came with the login and needs nothing that could be missing', () => {
    const state = account(zerodha, ['24', '06:00'], { refreshToken: REFRESH_TOKEN })
    expect(nextNeed(zerodha, state, now)).toBe('Renews itself.')
    const ending = { ...state, refreshToken: { ...REFRESH_TOKEN, expiresAt: ist('30', '06:00') } }
    expect(nextNeed(zerodha, ending, now)).toBe(
      'Renews itself until Mon 30 Nov 06:00 IST; then a login is needed.',
    )
    expect(nextNeed(zerodha, ending, ist('30', '07:00'))).toMatch(/^Next login/)
  })

  test('is a person’s, where the refresh token wants a PIN that may not be stored, or was refused', () => {
    const unsure = account(fyers, ['24', '06:00'], { refreshToken: REFRESH_TOKEN })
    expect(nextNeed(fyers, unsure, now)).toMatch(/^Next login/)
    const proven = account(fyers, ['24', '06:00'], { refreshToken: REFRESH_TOKEN, source: 'refresh_token' })
    expect(nextNeed(fyers, proven, now)).toBe('Renews itself.')
    const block = { code: 'grant_rejected', reason: '', stamps: {}, forcible: false } as const
    expect(nextNeed(fyers, { ...proven, blocks: { refresh_token: block } }, now)).toMatch(/^Next login/)
    const settings = { options: { refresh: 'off' } }
    expect(nextNeed(fyers, { ...proven, settings }, now)).toMatch(/^Next login/)
  })

  test('is when the token dies, where there is no market', () => {
    const state = account(posConnector, ['23', '11:00'])
    expect(nextNeed(posConnector, state, now)).toMatch(/^Next login: before .*23 Nov/)
  })
})

describe('the old token', () => {
  test('is said to be live, or not, as it was proven and as nobody knows', () => {
    const state = account(fyers, ['24', '06:00'])
    expect(oldTokenSentence(fyers, state, ist('23', '08:00'))).toBe(
      'The old token is left as it was: proven Mon 23 Nov 08:00 IST, valid until Tue 24 Nov 06:00 IST.',
    )
    for (const dead of [
      oldTokenSentence(fyers, state, ist('24', '06:00')),
      oldTokenSentence(fyers, account(fyers, undefined), ist('23', '08:00')),
    ])
      expect(dead).toMatch(/^No working token is left/)
  })
})
