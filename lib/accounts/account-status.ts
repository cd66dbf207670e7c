import type { Temporal } from 'temporal-polyfill'
import { sessionOf } from '../markets/session.ts'
import { type AccountId, nameOf } from '../model/account-id.ts'
import { type AccountState, isRefused, type TokenSource } from '../model/account-state.ts'
import { isSuccess, type Outcome } from '../model/outcome.ts'
import { localInstant } from '../model/time/local-time.ts'
import type { Broker } from '../ports/broker/broker.ts'
import { loginAction } from '../tokens/rules/outcome/advice.ts'
import { nextActionAfter } from '../tokens/rules/outcome/report-line.ts'
import { unprovenSince } from '../tokens/rules/token/doubt.ts'
import { wantsProof, whetherDue } from '../tokens/rules/token/due.ts'
import { loginHelpsFrom } from '../tokens/rules/token/login-helps.ts'
import { isProvable } from '../tokens/rules/token/provable.ts'
import { type TokenStatus, tokenStatus } from '../tokens/rules/token/token-status.ts'
import { loginLaterFrom, renewsItself } from './needs.ts'

/** What is known of one account, for people and programs; never a secret. Times are ISO 8601 in the broker's zone. */
export interface AccountStatus {
  readonly account: AccountId
  readonly broker: string
  readonly nickname: string | null
  readonly userID: string | null
  readonly clientName: string | null
  /**
   * The outcome of the last run; or, where no run has seen it yet, that the token is expired, missing or
   * unproven.
   */
  readonly state: Outcome | 'expired' | 'missing' | 'unproven'
  /** The state in words. */
  readonly summary: string
  /** Whether the published token was proven, and nothing speaks against it since. */
  readonly live: boolean
  /** Since when the token is unproven; `null` where it is not. */
  readonly unprovenSince: string | null
  readonly expiresAt: string | null
  readonly expiryDecidedBy: string | null
  readonly issuedAt: string | null
  readonly provenAt: string | null
  readonly source: TokenSource | null
  readonly generation: number
  /**
   * From when on a login helps; set where only a login brings a token, and one made now would give a token
   * that is dead by the open.
   */
  readonly loginHelpsFrom: string | null
  readonly lastRunAt: string | null
  readonly nextAction: string
  readonly lastError: LastError | null
}

interface LastError {
  readonly at: string
  readonly code: string
  readonly reason: string
  readonly fix: string | null
}

/** The status of an account as of `now`. Pure. */
export function statusOf(broker: Broker, record: AccountState, now: Temporal.Instant): AccountStatus {
  const { account, settings, accessToken: token, last } = record
  const local = (instant: Temporal.Instant | undefined): string | null => {
    return instant?.toString({ timeZone: broker.session.timeZone, smallestUnit: 'second' }) ?? null
  }
  const status = tokenStatus(record, now)
  const state = stateOf(broker, record, status, now)
  const failed = last !== undefined && !isSuccess(last.outcome) && state === last.outcome
  const from = state === 'missing' || state === 'expired' ? loginLaterFrom(broker, record, now) : undefined
  return {
    account,
    broker: broker.id,
    nickname: settings.nickname ?? null,
    userID: record.userId ?? null,
    clientName: record.clientName ?? null,
    state,
    summary: summaryOf(broker, record, state, status, now),
    live: status === 'live',
    unprovenSince: status === 'unproven' ? local(unprovenSince(record, now)) : null,
    expiresAt: local(token?.expiresAt),
    expiryDecidedBy: token?.expiryDecidedBy ?? null,
    issuedAt: local(token?.issuedAt),
    provenAt: local(token?.provenAt),
    source: token?.source ?? null,
    generation: record.generation,
    loginHelpsFrom: local(from),
    lastRunAt: local(last?.at),
    nextAction: from ? loginAction(broker, account, from) : nextActionOf(broker, record, state, now),
    lastError: failed
      ? {
          at: local(last.at) as string,
          code: last.code ?? last.outcome,
          reason: last.reason,
          fix: last.fix ?? null,
        }
      : null,
  }
}

/** An account's name without the broker; the broker's id for its default account. */
export function shortId(account: AccountId): string {
  return nameOf(account) ?? account
}

function stateOf(
  broker: Broker,
  record: AccountState,
  token: TokenStatus,
  now: Temporal.Instant,
): AccountStatus['state'] {
  const { settings, paused, last } = record
  if (settings.managedBy === 'external') return 'skipped'
  if (paused) return 'paused'
  // As long as a login does not help yet, the state is not "awaiting login".
  const isEarly = last?.outcome === 'awaiting_login' && loginHelpsFrom(broker, record, now) !== undefined
  if (last && !isSuccess(last.outcome) && !isEarly) return last.outcome
  if (token === 'live') return 'fresh'
  if (token === 'unproven') return 'unproven'
  return token === 'none' ? 'missing' : 'expired'
}

function summaryOf(
  broker: Broker,
  record: AccountState,
  state: AccountStatus['state'],
  status: TokenStatus,
  now: Temporal.Instant,
): string {
  const token = record.accessToken
  const also = alsoOf(broker, record, status, now)
  switch (state) {
    case 'skipped':
      return 'managed elsewhere'
    case 'paused':
      return `paused${also}`
    case 'missing':
      return 'no token yet'
    case 'expired':
      return isRefused(record) ? 'refused by the broker' : 'expired'
    case 'unproven':
      return also.slice(2)
    case 'awaiting_login':
      return `a person must log in${also}`
    case 'ambiguous':
      return `last renewal uncertain${also}`
    case 'failed':
      return `last run failed${also}`
    default: {
      const session = sessionOf(broker, record.settings)
      const due = token && whetherDue(token, broker.session, record.settings, now, session).due
      if (due) return 'live, renewal due'
      return token && wantsProof(token, broker, record, now) ? 'live, proof due' : 'live'
    }
  }
}

/**
 * What is said of the token after the outcome of the last run: when it was proven, or since when it is
 * unproven.
 */
function alsoOf(broker: Broker, record: AccountState, status: TokenStatus, now: Temporal.Instant): string {
  const at = (instant: Temporal.Instant): string => localInstant(instant, broker.session.timeZone)
  const since = unprovenSince(record, now)
  if (status === 'unproven' && since) return `, token unproven since ${at(since)}`
  if (status === 'live' && record.accessToken)
    return `, token live when proven ${at(record.accessToken.provenAt)}`
  return ''
}

function nextActionOf(
  broker: Broker,
  record: AccountState,
  state: AccountStatus['state'],
  now: Temporal.Instant,
): string {
  const { last } = record
  if (state === 'missing' || state === 'expired') {
    // The record does not tell which secrets are stored, so before a first run it is not known whether they
    // are enough.
    return renewsItself(broker, record, now)
      ? 'the next run gets a new one'
      : 'the next run gets a new one, or says what it needs'
  }
  if (state === 'unproven') {
    return isProvable(broker, record)
      ? 'the next run asks the broker whether it still lives'
      : 'the next run gets a new one: nothing but its login proves a token here'
  }
  const fix = last?.fix
  return nextActionAfter(broker, record, { outcome: state, reason: last?.reason ?? '', ...(fix && { fix }) })
}
