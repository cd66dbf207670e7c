import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import { type AccountId, parseAccountId } from '../../model/account-id.ts'
import type { AccountState, LoginAttempt, LoginResult } from '../../model/account-state.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { isFromTheFuture } from '../../model/time/clock-tolerance.ts'
import { isAfter } from '../../model/time/instants.ts'

/** Minutes in which a person finds the telephone, the password and the second factor. */
export const LOGIN_OPEN_MINUTES = 10
/** More logins are open at once than people have browsers only where somebody plays with the button. */
export const MOST_OPEN_LOGINS = 10
/** Hours that a finished login is kept, for people who look at its receipt again. */
const KEPT_HOURS = 24
/** How many finished logins are kept; a record must stay small. */
const MOST_KEPT = 20
const RANDOM_BYTES = 24

/**
 * A new one-time state (RFC 6749 section 10.12): a random part, then the account it is for, all safe in a
 * URL.
 */
export function newLoginState(account: AccountId): string {
  return `${randomBytes(RANDOM_BYTES).toString('base64url')}.${Buffer.from(account).toString('base64url')}`
}

/** The hash that the record keeps in place of a state; the state cannot be worked out from it. */
export function loginIdOf(state: string): string {
  return createHash('sha256').update(state).digest('base64url')
}

/** The account that a state names; `undefined` where the state cannot be one of ours. */
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
 * The PKCE verifier of a login (RFC 7636 section 4.1). It is derived from the client secret whenever it is
 * needed, so it need not be stored.
 */
export function codeVerifierOf(state: string, clientSecret: Secret): Secret {
  return new Secret(createHmac('sha256', clientSecret.reveal()).update(`pkce ${state}`).digest('base64url'))
}

/** Whether a callback may still use this login. Pure. */
export function isOpen(attempt: LoginAttempt, now: Temporal.Instant): boolean {
  const { usedAt, startedAt, openUntil } = attempt
  return usedAt === undefined && isAfter(openUntil, now) && !isFromTheFuture(startedAt, now)
}

/** The logins that a callback may still use. Pure. */
export function openLogins({ logins = [] }: AccountState, now: Temporal.Instant): readonly LoginAttempt[] {
  return logins.filter((attempt) => isOpen(attempt, now))
}

/** The login with this id (the hash of its state); `undefined` where the record has none. */
export function loginCalled({ logins = [] }: AccountState, id: string): LoginAttempt | undefined {
  return logins.find((attempt) => attempt.id === id)
}

/** The logins with one more. Finished ones that are old or too many are dropped, open ones never. Pure. */
export function withLogin(
  { logins = [] }: AccountState,
  attempt: LoginAttempt,
  now: Temporal.Instant,
): readonly LoginAttempt[] {
  const oldest = now.subtract({ hours: KEPT_HOURS })
  const over = logins.filter((one) => !isOpen(one, now) && isAfter(one.startedAt, oldest)).slice(-MOST_KEPT)
  return [...logins.filter((one) => isOpen(one, now) || over.includes(one)), attempt]
}

/**
 * The logins with the end of one filled in: when its state was used, which drops an older result, or how it
 * went. Pure.
 */
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
