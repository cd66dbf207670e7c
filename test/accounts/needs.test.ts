import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import type { KnownAccount } from '../../lib/accounts/accounts.ts'
import { helpFor, loginLaterFrom, overviewOf } from '../../lib/accounts/needs.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { zerodha } from '../../lib/brokers/zerodha/zerodha.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import {
  type AccessTokenRecord,
  type AccountState,
  type Incident,
  newAccountState,
} from '../../lib/model/account-state.ts'
import type { Outcome } from '../../lib/model/outcome.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { tokenRecord } from '../support/token-record.ts'

const NOW = Temporal.Instant.from('2026-11-23T08:00:00+05:30')
/** A broker at which nobody can log in from here. */
const elsewhere: Broker = { ...zerodha, login: { how: 'log in' } }

function state(id: string, changes: Partial<AccountState> = {}): AccountState {
  return { ...newAccountState(parseAccountId(id)), ...changes }
}

function token(source: AccessTokenRecord['source'], hours: number): { accessToken: AccessTokenRecord } {
  const times = { issuedAt: NOW.subtract({ hours: 24 }), expiresAt: NOW.add({ hours }) }
  return { accessToken: tokenRecord({ ...times, ...(source && { source }) }) }
}

const incident = (kind: Incident['kind'], over = false): { incident: Incident } => ({
  incident: { id: 'x', kind, openedAt: NOW, ...(over && { overAt: NOW }) },
})
const last = (outcome: Outcome): Pick<AccountState, 'last'> => ({ last: { at: NOW, outcome, reason: '' } })

describe('who is needed', () => {
  test.each<[string, Broker, Partial<AccountState>, ReturnType<typeof helpFor>]>([
    ['nobody for a live token', zerodha, token('login', 20), undefined],
    ['a login where a run waits for one', zerodha, last('awaiting_login'), 'login'],
    ['a login where one was asked for', zerodha, incident('login_needed'), 'login'],
    ['a login where the refresh token was lost', zerodha, incident('token_lost'), 'login'],
    ['a login where a stored password is wrong', zerodha, incident('human_action'), 'login'],
    ['the operator where the app is refused', zerodha, incident('operator_action'), 'operator'],
    ['a token by hand where nobody can log in from here', elsewhere, incident('login_needed'), 'hand_in'],
    [
      'nobody once it is over',
      zerodha,
      { ...token('login', 20), ...incident('login_needed', true) },
      undefined,
    ],
    ['a login where the token a login gave has died', zerodha, token('login', -1), 'login'],
    ['a login where the token somebody handed in has died', zerodha, token('given', -1), 'login'],
    ['nobody where the next run renews it', zerodha, token('refresh_token', -1), undefined],
    [
      'nobody where a refresh token came with the login',
      zerodha,
      { ...token('login', -1), refreshToken: { savedAt: NOW, version: 1 } },
      undefined,
    ],
    ['nobody where passwords do it', iifl, token('credentials', -1), undefined],
    ['nobody for a passing fault', zerodha, { ...token('refresh_token', -1), ...last('failed') }, undefined],
    ['nobody for what no run has looked at yet', zerodha, {}, undefined],
    ['a login for what no run could renew', { ...zerodha, grants: [] }, {}, 'login'],
  ])('%s', (_, broker, changes, help) => {
    expect(helpFor(broker, state('zerodha', changes), NOW)).toBe(help)
  })
})

describe('on a Friday evening', () => {
  const evening = Temporal.Instant.from('2026-11-27T20:00:00+05:30')
  const morning = Temporal.Instant.from('2026-11-30T06:00:00+05:30')
  const early = { last: { at: evening, outcome: 'skipped', reason: '', loginHelpsFrom: morning } } as const

  test.each<[string, Broker, Partial<AccountState>, ReturnType<typeof helpFor>]>([
    ['a login that a run waits for', zerodha, last('awaiting_login'), undefined],
    ['a login that a run found too early', zerodha, early, undefined],
    ['a login that was asked for', zerodha, incident('login_needed'), undefined],
    ['a login for a lost refresh token', zerodha, incident('token_lost'), undefined],
    ['a token that a login gave and that has died', zerodha, token('login', -1), undefined],
    ['a token by hand', elsewhere, incident('login_needed'), undefined],
  ])('%s needs nobody before Monday 06:00', (_, broker, changes) => {
    const record = state('zerodha', changes)
    expect(helpFor(broker, record, evening)).toBeUndefined()
    expect(loginLaterFrom(broker, record, evening)).toEqual(morning)
    expect(helpFor(broker, record, morning)).toBeDefined()
    expect(loginLaterFrom(broker, record, morning)).toBeUndefined()
  })

  test('what is stored can be corrected: the page has no button for a login', () => {
    const wrong = state('zerodha', incident('human_action'))
    expect(helpFor(zerodha, wrong, evening)).toBe('operator')
    expect(helpFor(zerodha, state('zerodha', incident('operator_action')), evening)).toBe('operator')
    expect(loginLaterFrom(zerodha, wrong, evening)).toBeUndefined()
  })

  test('an account without a market may be logged in', () => {
    const { tradingSession: _none, ...anytime } = zerodha
    expect(helpFor(anytime, state('zerodha', last('awaiting_login')), evening)).toBe('login')
  })

  test('a token that still lives is no reason to wait for anything', () => {
    const living = { ...token('login', 20 * 24), ...last('awaiting_login') }
    expect(helpFor(zerodha, state('zerodha', living), evening)).toBeUndefined()
    expect(loginLaterFrom(zerodha, state('zerodha', living), evening)).toBeUndefined()
  })

  test('the overview counts nobody, and has those who wait in a list of their own', () => {
    const known = ['A', 'B'].map((name) => ({
      broker: zerodha as Broker,
      state: state(`zerodha/${name}`, last('awaiting_login')),
    }))
    expect(overviewOf(known, evening, 'zerodha/B')).toMatchObject({
      needPerson: [],
      covered: [],
      done: 0,
      later: [
        { state: { account: 'zerodha/A' }, from: morning, named: false },
        { state: { account: 'zerodha/B' }, from: morning, named: true },
      ],
    })
    expect(overviewOf(known, morning)).toMatchObject({
      later: [],
      needPerson: [{ requiredAction: 'login' }, { requiredAction: 'login' }],
    })
  })
})

describe('the overview', () => {
  const one = (id: string, changes: Partial<AccountState>): KnownAccount => ({
    broker: zerodha,
    state: state(id, changes),
  })
  const ids = (list: readonly KnownAccount[]): string[] => list.map(({ state }) => state.account)
  const needed = last('awaiting_login')

  test('leaves out what is paused or kept elsewhere', () => {
    const overview = overviewOf(
      [
        one('zerodha/A', { ...needed, paused: { since: NOW } }),
        one('zerodha/B', { ...needed, settings: { managedBy: 'external' } }),
        one('zerodha/C', needed),
      ],
      NOW,
    )
    expect(ids(overview.needPerson)).toEqual(['zerodha/C'])
    expect(overview.covered).toEqual([])
  })

  test('has the account of the link first and corrections of the set-up last', () => {
    const known = [
      one('zerodha/A', incident('operator_action')),
      one('zerodha/B', needed),
      one('zerodha/C', needed),
      one('zerodha/D', token('login', 20)),
    ]
    expect(ids(overviewOf(known, NOW).needPerson)).toEqual(['zerodha/B', 'zerodha/C', 'zerodha/A'])
    expect(ids(overviewOf(known, NOW, 'zerodha/C').needPerson)).toEqual([
      'zerodha/C',
      'zerodha/B',
      'zerodha/A',
    ])
    expect(ids(overviewOf(known, NOW, 'zerodha/A').needPerson)[0]).toBe('zerodha/A')
    expect(ids(overviewOf(known, NOW, 'nobody/knows').needPerson)[0]).toBe('zerodha/B')
    expect(ids(overviewOf(known, NOW).covered)).toEqual(['zerodha/D'])
  })

  test('counts as done who logged in today on the clocks of the broker, and still can work', () => {
    const at = (instant: string): Pick<AccountState, 'authorizedAt'> => ({
      authorizedAt: Temporal.Instant.from(instant),
    })
    const done = (changes: Partial<AccountState>): number => overviewOf([one('zerodha', changes)], NOW).done
    expect(done({ ...token('login', 20), ...at('2026-11-23T00:10:00+05:30') })).toBe(1)
    expect(done({ ...token('login', 20), ...at('2026-11-22T23:50:00+05:30') })).toBe(0)
    expect(done({ ...token('login', -1), ...at('2026-11-23T00:10:00+05:30') })).toBe(0)
    expect(done({ ...token('login', 20) })).toBe(0)
  })
})
