import { inspect } from 'node:util'
import { maskSecrets } from './secrets/secret.ts'
import type { SecretName } from './secrets/secret-name.ts'

/**
 * All errors of this project. An error says what happened, who can fix it and how; it never holds a secret, a
 * whole reply or a URL with a query. What is part of normal life (a login is needed, a pause) is a value: see
 * outcome.ts.
 */

/** Who has to act before a repeat makes sense. */
export type Actor = 'next_run' | 'next_grant' | 'operator' | 'person' | 'developer'

/** The codes of all errors, as in records and replies. */
export type ErrorCode =
  | 'configuration_invalid'
  | 'broker_unavailable'
  | 'rate_limited'
  | 'busy'
  | 'grant_rejected'
  | 'client_rejected'
  | 'human_action'
  | 'ambiguous'
  | 'response_unexpected'
  | 'wrong_account'
  | 'vault_read'
  | 'vault_write'
  | 'state'
  | 'token_lost'
  | 'notify_failed'
  | 'follow_up_failed'
  | 'subscriber_failed'

/** What an error may say besides its message. */
export interface ErrorDetails {
  /**
   * What to do: an imperative sentence without a full stop. `{account}` stands for the account, where not
   * known.
   */
  readonly fix?: string
  /** The broker's own error code, never its prose: bodies have been seen to echo secrets. */
  readonly brokerCode?: string
  /** The stored secrets that may be wrong, where the broker says which; storing one again ends the block. */
  readonly suspects?: readonly SecretName[]
  readonly cause?: unknown
}

/** What helps against a passing fault of a run; for other work see `advising`. */
export const WAIT_FOR_RUN = 'wait for the next run, or try at once: tokenkeeper refresh {account}'
/** What helps while the broker wants to be left alone. */
export const WAIT_OUT = 'wait that long: the first run after it tries again'

const PLAIN_CODE = /^[A-Za-z0-9_.:-]{1,48}$/

/** The base of every error of this project. `message` is safe to show and to log. */
export abstract class TokenkeeperError extends Error {
  abstract readonly code: ErrorCode
  abstract readonly actor: Actor
  /** Whether a later run may repeat the same step by itself. */
  abstract readonly retryable: boolean
  /** What the actor should do; see {@link ErrorDetails.fix}. Empty where nothing helps. */
  fix: string
  readonly brokerCode: string | undefined
  readonly suspects: readonly SecretName[] | undefined

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.fix = details.fix ?? ''
    this.brokerCode =
      details.brokerCode !== undefined && PLAIN_CODE.test(details.brokerCode) ? details.brokerCode : undefined
    this.suspects = details.suspects
    if ('cause' in this) Object.defineProperty(this, 'cause', { enumerable: false })
  }

  /** Replaces the fix of a retryable error, for work that no later run repeats; changes no other error. */
  advising(fix: string): this {
    if (this.retryable) this.fix = fix
    return this
  }

  /** A cause can be a library's error with headers and bodies on it: a dump shows only its masked message. */
  [inspect.custom](): string {
    const { cause } = this
    const because = cause instanceof Error ? `, cause: ${cause.name}: ${maskSecrets(cause.message)}` : ''
    return `${this.stack ?? this.message} { code: '${this.code}'${because} }`
  }
}

/** A setting or a stored credential is missing or malformed. Names the parameter, never its value. */
export class ConfigurationError extends TokenkeeperError {
  override readonly code = 'configuration_invalid'
  override readonly actor = 'operator'
  override readonly retryable = false
}

/** The broker was not reached, or had a passing fault; no grant was spent. The next run tries again. */
export class BrokerUnavailableError extends TokenkeeperError {
  override readonly code = 'broker_unavailable'
  override readonly actor = 'next_run'
  override readonly retryable = true
  /** False where the broker cannot have seen the request, which then counts against no budget. */
  readonly sent: boolean

  constructor(message: string, details: ErrorDetails & { readonly sent?: boolean } = {}) {
    super(message, details)
    this.sent = details.sent ?? true
  }
}

/** Throttled by the broker, or held back by our own login budget. */
export class RateLimitedError extends TokenkeeperError {
  override readonly code: 'rate_limited' | 'busy' = 'rate_limited'
  override readonly actor = 'next_run'
  override readonly retryable = true
  /** Seconds to wait before the next attempt. */
  readonly retryAfterSeconds: number

  constructor(message: string, details: ErrorDetails & { readonly retryAfterSeconds: number }) {
    super(message, details)
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

/** Another run or login holds the account; neither the broker nor a budget is involved. */
export class BusyError extends RateLimitedError {
  override readonly code = 'busy'
}

/**
 * The credential is dead (refresh token expired, code spent): the next grant is tried, or a person logs in.
 */
export class GrantRejectedError extends TokenkeeperError {
  override readonly code = 'grant_rejected'
  override readonly actor = 'next_grant'
  override readonly retryable = false
}

/** The broker refuses the app itself: wrong client id or secret, app disabled, address not registered. */
export class ClientRejectedError extends TokenkeeperError {
  override readonly code = 'client_rejected'
  override readonly actor = 'operator'
  override readonly retryable = false
}

type HumanProblem = 'wrong_secret' | 'one_time_code' | 'account' | 'locked'

/**
 * A person must do more than log in. Code that catches this must stop: a repeat risks a lock-out. `problem`:
 * `wrong_secret`, not sent again until it is stored anew; `one_time_code`, its secret or a clock is wrong:
 * tried again the next day; `account`, its holder must change something at the broker: tried once a day;
 * `locked`, a try can make it worse: only a forced run tries.
 */
export class HumanActionError extends TokenkeeperError {
  override readonly code = 'human_action'
  override readonly actor = 'person'
  override readonly retryable = false
  readonly problem: HumanProblem

  constructor(message: string, details: ErrorDetails & { readonly problem: HumanProblem }) {
    super(message, details)
    this.problem = details.problem
  }
}

/** A single-use or counted credential was sent, and its fate is unknown: probe before anything else. */
export class AmbiguousError extends TokenkeeperError {
  override readonly code = 'ambiguous'
  override readonly actor = 'next_run'
  override readonly retryable = false
}

/**
 * The broker's reply is not as its contract says. `field` is the path of the first bad field; `status` is
 * absent where a token or another value is at fault, and no reply.
 */
export class UnexpectedResponseError extends TokenkeeperError {
  override readonly code = 'response_unexpected'
  override readonly actor = 'developer'
  override readonly retryable = false
  readonly status: number | undefined
  readonly field: string | undefined

  constructor(
    message: string,
    details: ErrorDetails & {
      readonly status?: number | undefined
      readonly field?: string | undefined
    } = {},
  ) {
    super(message, details)
    this.status = details.status
    this.field = details.field
  }
}

/** The token belongs to another user than the one this account is pinned to. Nothing was changed. */
export class WrongAccountError extends TokenkeeperError {
  override readonly code = 'wrong_account'
  override readonly actor = 'person'
  override readonly retryable = false
}

/** SSM (or the local vault) could not be read or written. What is stored is as it was. */
export class TokenVaultError extends TokenkeeperError {
  override readonly code: 'vault_read' | 'vault_write'
  override readonly actor = 'next_run'
  override readonly retryable = true

  constructor(message: string, details: ErrorDetails & { readonly during: 'read' | 'write' }) {
    super(message, details)
    this.code = details.during === 'read' ? 'vault_read' : 'vault_write'
  }
}

/** The state table could not be read or written. */
export class StateStoreError extends TokenkeeperError {
  override readonly code = 'state'
  override readonly actor = 'next_run'
  override readonly retryable = true
}

/** The broker issued a new refresh token that could not be saved in time. Somebody is paged at once. */
export class TokenLostError extends TokenkeeperError {
  override readonly code = 'token_lost'
  override readonly actor = 'person'
  override readonly retryable = false
}

/** An alert could not be delivered. The heartbeat alarm tells people in another way. */
export class NotificationError extends TokenkeeperError {
  override readonly code = 'notify_failed'
  override readonly actor = 'next_run'
  override readonly retryable = true
}

/** A run could not be continued in another process: the rest is left to the next scheduled run. */
export class FollowUpError extends TokenkeeperError {
  override readonly code = 'follow_up_failed'
  override readonly actor = 'next_run'
  override readonly retryable = true
}

/** A subscriber was not told of a published token. The token is published, and the next one is told again. */
export class SubscriberError extends TokenkeeperError {
  override readonly code = 'subscriber_failed'
  override readonly actor = 'operator'
  override readonly retryable = true
}
