import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { Secret } from '../../model/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'

/** A published access token, as a program may have it. */
export interface ClientToken {
  readonly account: AccountId
  readonly broker: string
  readonly accessToken: Secret
  /** The whole value of the broker's Authorization header; absent while the app's id it names is not known. */
  readonly authorization?: Secret
  /** Counts the account's published access tokens, where the source tells. */
  readonly generation?: number
  /** The vault's version of the access token, where the source tells. */
  readonly version?: number
  /** When it dies; absent where nobody can vouch for that. */
  readonly expiresAt?: Temporal.Instant
  /** Whether the keeper counts it as live; absent where the source does not tell. */
  readonly live?: boolean
  /** Since when something may have ended it that the broker was not asked about; absent where nothing may, as far as the source tells. */
  readonly unprovenSince?: Temporal.Instant
  /** Companions without which the token is useless, as one JSON text. */
  readonly session?: Secret
  /** Whose token it is at the broker, where the source tells. */
  readonly userId?: string
}

/**
 * Where a program has its tokens from. All three methods throw TokenUnavailableError, or an error of
 * lib/model/errors.ts.
 */
export interface TokenSource {
  readonly account: AccountId
  readonly broker: Broker
  /** Origins that replace the broker's own, by host name. @default - none */
  readonly hosts?: Readonly<Record<string, string>>
  /** The published token. */
  read(): Promise<ClientToken>
  /**
   * Tells the keeper that the broker refused this token, and waits until it has looked: a dead token is renewed, a
   * report about an older one changes nothing. The token published then, where the answer brings it.
   */
  report(refused: ClientToken): Promise<ClientToken | undefined>
  /**
   * Has the keeper look at the account and renew what is due; with `force` also what is not. The token published
   * then, where the answer brings it.
   */
  renew(options: { readonly force: boolean }): Promise<ClientToken | undefined>
  close?(): Promise<void>
}
