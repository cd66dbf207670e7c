import { inspect } from 'node:util'
import { maskSecrets } from './secret.ts'
import type { SecretName } from './secret-name.ts'

/**
 * The one page of what can go wrong. An error says what happened, who can fix it and how; it never holds a
 * secret, a whole reply or a URL with a query. Outcomes that are part of normal life (a person must log in, an
 * account is paused) are values, see outcome.ts.
 */

/** Who has to act before a repeat makes sense. */
export type Actor = 'next_run' | 'next_grant' | 'operator' | 'person' | 'developer'

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

export interface ErrorDetails {
  /**
   * What the actor should do, as one imperative sentence without a full stop. `{account}` stands for the account it
   * happened to, where whoever throws does not know it.
   */
  readonly fix?: string
  /** The broker's own error code, never its prose: bodies have been seen to echo secrets. */
  readonly brokerCode?: string
  /** The stored secrets that may be wrong, where the broker says more than that something is: only their being stored again lifts it. */
  readonly suspects?: readonly SecretName[]
  readonly cause?: unknown
}

/** What helps against a passing fault; true of every run, and of a run only. */
export const WAIT_FOR_RUN = 'wait for the next run, or try at once: tokenkeeper refresh {account}'
/** The same while the broker wants to be left alone. */
export const WAIT_OUT = 'wait that long: the first run after it tries again'

const PLAIN_CODE = /^[A-Za-z0-9_.:-]{1,48}$/

/** What every error of this project is. `message` is safe to show and to log. */
export abstract class TokenkeeperError extends Error {
  abstract readonly code: ErrorCode
  abstract readonly actor: Actor
  /** Whether a later run may repeat the same step by itself. */
  abstract readonly retryable: boolean
  /** What whoever can help should do. */
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

  /** The same error for whoever must do something else about a passing fault than wait for a run. */
  advising(fix: string): this {
    if (this.retryable) this.fix = fix
    return this
  }

  /** A cause can be a library's error with headers and bodies on it: of that, a dump shows the masked message only. */
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

/** The broker could not be reached, or answered with a passing fault, and nothing was spent. The next run repeats. */
export class BrokerUnavailableError extends TokenkeeperError {
  override readonly code = 'broker_unavailable'
  override readonly actor = 'next_run'
  override readonly retryable = true
  /** False when the broker cannot have seen the request, so that it counts against no budget. */
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

/** Another run or login holds the account; no broker and no budget has a part in it. */
export class BusyError extends RateLimitedError {
  override readonly code = 'busy'
}

/** The credential presented is dead (expired refresh token, spent code): the next grant of the ladder, else a person logs in. */
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
 * A person must do something other than an ordinary login. Catch it to stop: a repeat risks a lock-out.
 *
 * `problem` says whether our stored secret is wrong (never sent again until it is changed), a one-time code was
 * refused (its secret or a clock is wrong: tried again the next day), or the account is in a state only its holder can
 * change at the broker: one that a try shows (tried again once a day), or a lock-out, which a try can make worse (tried
 * again by a forced run only).
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

/** A single-use or counted credential was sent and its fate is unknown. Probe first, never repeat blindly. */
export class AmbiguousError extends TokenkeeperError {
  override readonly code = 'ambiguous'
  override readonly actor = 'next_run'
  override readonly retryable = false
}

/** The broker's reply is not what its contract says. `field` is the path of the first bad field. */
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

/** The token works, but for another user than the one this account is pinned to. Nothing was changed. */
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

/** The broker issued a new refresh token and it could not be saved before the deadline. Pages at once. */
export class TokenLostError extends TokenkeeperError {
  override readonly code = 'token_lost'
  override readonly actor = 'person'
  override readonly retryable = false
}

/** An alert could not be delivered. The heartbeat alarm is the second way out. */
export class NotificationError extends TokenkeeperError {
  override readonly code = 'notify_failed'
  override readonly actor = 'next_run'
  override readonly retryable = true
}

/** A run could not be continued in another process. Its remaining accounts wait for the next scheduled run. */
export class FollowUpError extends TokenkeeperError {
  override readonly code = 'follow_up_failed'
  override readonly actor = 'next_run'
  override readonly retryable = true
}

/** An event or a mirror of a published token failed. The token itself is published; the next one is told again. */
export class SubscriberError extends TokenkeeperError {
  override readonly code = 'subscriber_failed'
  override readonly actor = 'operator'
  override readonly retryable = true
}
