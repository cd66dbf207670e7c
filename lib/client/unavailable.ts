import type { AccountId } from '../model/account-id.ts'
import { TokenkeeperError } from '../model/errors.ts'
import type { AccountResult } from '../model/outcome.ts'
import { maskSecrets } from '../model/secrets/secret.ts'
import type { ServiceRefusal } from '../ports/token-service.ts'
import { TokenUnavailableError, type UnavailableCode } from './errors.ts'

/** Seconds to wait while another run holds the account; a renewal takes a few. */
const BUSY_SECONDS = 2

interface Why {
  readonly code: UnavailableCode
  readonly reason: string
  readonly fix: string
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

/** The error that there is no usable token, with the account and the reason in its message. */
export function unavailable(account: AccountId, { reason, ...details }: Why): TokenUnavailableError {
  return new TokenUnavailableError(`no usable token for ${account}: ${reason}`, { account, ...details })
}

/** The error that a program gets for any error of a source. Of an unforeseen error only the class is told. */
export function unavailableOf(error: unknown, account: AccountId): TokenUnavailableError {
  if (error instanceof TokenUnavailableError) return error
  if (error instanceof TokenkeeperError) {
    const { code, message, fix } = error
    return unavailable(account, {
      code,
      reason: maskSecrets(message),
      fix: fix.replaceAll('{account}', account),
      cause: error,
    })
  }
  const kind = error instanceof Error ? error.name : typeof error
  return unavailable(account, {
    code: 'internal',
    reason: `an unforeseen fault (${kind})`,
    fix: 'try again; report it if it happens again',
    cause: error,
  })
}

/** The error for a refusal of the keeper. */
export function unavailableOfRefusal(refusal: ServiceRefusal, account: AccountId): TokenUnavailableError {
  const { code, reason, fix, retryAfterSeconds } = refusal
  return unavailable(account, { code, reason, fix, retryAfterSeconds })
}

/** The error where a run left the account without a token that works; `undefined` where it has one. */
export function objectionIn(result: AccountResult): TokenUnavailableError | undefined {
  const { account, outcome, reason, nextAction: fix } = result
  if (result.loginHelpsFrom !== undefined)
    return unavailable(account, { code: 'awaiting_login', reason, fix })
  switch (outcome) {
    case 'fresh':
    case 'refreshed':
      return undefined
    case 'awaiting_login':
      return unavailable(account, { code: 'awaiting_login', reason, fix })
    case 'paused':
      return unavailable(account, {
        code: 'paused',
        reason,
        fix: `resume it when it is wanted again: tokenkeeper resume ${account}`,
      })
    case 'skipped':
      return unavailable(account, {
        code: 'busy',
        reason,
        fix: 'ask again in a moment',
        retryAfterSeconds: BUSY_SECONDS,
      })
    default:
      return unavailable(account, { code: result.code ?? 'ambiguous', reason, fix })
  }
}

/** The error for an account that somebody else manages. */
export function managedElsewhere(account: AccountId): TokenUnavailableError {
  return unavailable(account, {
    code: 'managed_elsewhere',
    reason: 'its token is kept by somebody else, and is never renewed here',
    fix: `ask whoever manages the account for a new token, and store it: tokenkeeper put ${account} access_token`,
  })
}
