import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'
import type { ReportedToken } from '../model/account-state.ts'
import type { ErrorCode } from '../model/errors.ts'
import type { AccountResult, RunReport } from '../model/outcome.ts'
import type { Secret } from '../model/secrets/secret.ts'

/** A request was refused and nothing was done; `reason` and `fix` are for people. */
export interface ServiceRefusal {
  readonly refused: true
  readonly code: ErrorCode | 'older_token'
  readonly reason: string
  readonly fix: string
  /** Seconds after which it makes sense to ask again. */
  readonly retryAfterSeconds?: number
}

/** A run over accounts of one broker. */
export interface RefreshOrder {
  readonly broker: string
  /** @default - all of the broker's */
  readonly accounts?: readonly AccountId[]
  /** A consumer was refused by the broker with this access token; for a run over a single account. */
  readonly reported?: ReportedToken
  /** Set when a person wants a new token although the stored one may be fresh. */
  readonly forcedAt?: Temporal.Instant
}

/** An access token that is handed in. */
export interface AdoptOrder {
  readonly account: AccountId
  readonly accessToken: Secret
  /** When the token dies, as the person or program that hands it in says. */
  readonly expiresAt?: Temporal.Instant
  /** Whether it may replace a token that lives longer. */
  readonly replaceNewer: boolean
}

export interface ValidateOrder {
  readonly account: AccountId
}

/** What the broker said about the published access token a moment ago. */
export interface Validation {
  readonly account: AccountId
  readonly valid: boolean
  /** ISO 8601 in the broker's zone. */
  readonly checkedAt: string
  readonly userID: string | null
  /** Why it is not valid. */
  readonly problem?: {
    readonly code: ErrorCode | 'no_token'
    readonly reason: string
    readonly fix: string
  }
}

/** The published access token with what a program needs to use it. */
export interface PublishedToken {
  readonly accessToken: Secret
  /** The vault's version of the token. */
  readonly version: number
  /** Values without which the token is useless, as one JSON text. */
  readonly session?: Secret
  /** The app's id; only where the broker's Authorization header needs it. */
  readonly clientId?: Secret
}

/**
 * Renews, proves and hands out access tokens: in this process, or in the broker's function on AWS, which
 * alone may read the broker's credentials. Foreseen errors are returned as a {@link ServiceRefusal}.
 */
export interface TokenService {
  /** Runs over these accounts and waits for the end; the report tells how each ended. */
  refresh(order: RefreshOrder): Promise<RunReport | ServiceRefusal>
  /** Proves an access token that somebody hands in, and publishes it only then. */
  adopt(order: AdoptOrder): Promise<AccountResult | ServiceRefusal>
  /**
   * Asks the broker whether the published access token works. Never renews it, which could use up a login.
   */
  validate(order: ValidateOrder): Promise<Validation | ServiceRefusal>
  /** The published access token; `undefined` where there is none. Throws what the stores throw. */
  readToken(account: AccountId): Promise<PublishedToken | undefined>
}
