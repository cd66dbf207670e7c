import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import { type AccountId, parseAccountId } from '../../model/account-id.ts'
import type { AccountState, LoginAttempt, LoginResult } from '../../model/account-state.ts'
import { Secret } from '../../model/secret.ts'
import { isFromTheFuture } from '../../model/time/clock-tolerance.ts'
import { isAfter } from '../../model/time/instants.ts'

/** A person finds the telephone, the password and the second factor in less. */
export const LOGIN_OPEN_MINUTES = 10
/** More logins open at once than people have browsers: somebody is playing with the button. */
export const MOST_OPEN_LOGINS = 10
/** Receipts are looked at again within the day. */
const KEPT_HOURS = 24
/** Of the logins that are over; a record must stay small. */
const MOST_KEPT = 20
const RANDOM_BYTES = 24

/** A one-time state (RFC 6749 section 10.12): random, then the account it is for, all safe in a URL. */
export function newLoginState(account: AccountId): string {
  return `${randomBytes(RANDOM_BYTES).toString('base64url')}.${Buffer.from(account).toString('base64url')}`
}

/** What the record keeps in place of a state: it tells nobody the state. */
export function loginIdOf(state: string): string {
  return createHash('sha256').update(state).digest('base64url')
}

/** The account a state says it is for; `undefined` when it cannot be one of ours. */
export function accountOfState(state: string): AccountId | undefined {
  const [random, account, ...rest] = state.split('.')
  if (!random || !account || rest.length > 0 || state.length > 200) return undefined
  try {
    return parseAccountId(Buffer.from(account, 'base64url').toString())
  } catch {
    return undefined
  }
}

/**
 * The PKCE verifier of a login (RFC 7636 section 4.1), worked out anew for the exchange instead of being kept
 * somewhere: only who knows the client secret can.
 */
export function codeVerifierOf(state: string, clientSecret: Secret): Secret {
  return new Secret(createHmac('sha256', clientSecret.reveal()).update(`pkce ${state}`).digest('base64url'))
}

/** Whether a callback may still use it. */
export function isOpen(attempt: LoginAttempt, now: Temporal.Instant): boolean {
  const { usedAt, startedAt, openUntil } = attempt
  return usedAt === undefined && isAfter(openUntil, now) && !isFromTheFuture(startedAt, now)
}

export function openLogins({ logins = [] }: AccountState, now: Temporal.Instant): readonly LoginAttempt[] {
  return logins.filter((attempt) => isOpen(attempt, now))
}

export function loginCalled({ logins = [] }: AccountState, id: string): LoginAttempt | undefined {
  return logins.find((attempt) => attempt.id === id)
}

/** The logins with one more; those that nobody asks for any longer are dropped, open ones never. */
export function withLogin(
  { logins = [] }: AccountState,
  attempt: LoginAttempt,
  now: Temporal.Instant,
): readonly LoginAttempt[] {
  const oldest = now.subtract({ hours: KEPT_HOURS })
  const over = logins.filter((one) => !isOpen(one, now) && isAfter(one.startedAt, oldest)).slice(-MOST_KEPT)
  return [...logins.filter((one) => isOpen(one, now) || over.includes(one)), attempt]
}

/** The logins with the end of one of them filled in: that it was taken, which no older result outlives, or how it went. */
export function withResult(
  { logins = [] }: AccountState,
  id: string,
  end: { readonly usedAt: Temporal.Instant } | { readonly result: LoginResult },
): readonly LoginAttempt[] {
  return logins.map((attempt) => {
    if (attempt.id !== id) return attempt
    const { result: _before, ...taken } = attempt
    return { ...taken, ...end }
  })
}
