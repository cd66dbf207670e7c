import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'

/** A published access token. */
export interface ClientToken {
  readonly account: AccountId
  readonly broker: string
  readonly accessToken: Secret
  /**
   * The whole value of the broker's Authorization header; absent where it needs the app's id and that is not
   * known.
   */
  readonly authorization?: Secret
  /** The generation of the token; absent where the source does not tell. */
  readonly generation?: number
  /** The vault's version of the access token; absent where the source does not tell. */
  readonly version?: number
  /** When the token dies; absent where that is not known. */
  readonly expiresAt?: Temporal.Instant
  /** Whether the token is live by the keeper's record; absent where the source does not tell. */
  readonly live?: boolean
  /** Since when the token is unproven; absent where it is not, or the source does not tell. */
  readonly unprovenSince?: Temporal.Instant
  /** Values without which the token is useless, as one JSON text. */
  readonly session?: Secret
  /** The broker's user id; absent where the source does not tell. */
  readonly userId?: string
}

/**
 * Where a program gets its tokens. All three methods throw TokenUnavailableError, or an error of
 * lib/model/errors.ts.
 */
export interface TokenSource {
  readonly account: AccountId
  readonly broker: Broker
  /** Origins that replace the broker's own, by host name. @default - none */
  readonly hosts?: Readonly<Record<string, string>>
  /** Reads the published token. */
  read(): Promise<ClientToken>
  /**
   * Tells the keeper that the broker refused this token, and waits for its answer: a dead token is renewed,
   * and a report about an older one changes nothing. Returns the token published then; `undefined` where the
   * answer has none.
   */
  report(refused: ClientToken): Promise<ClientToken | undefined>
  /**
   * Has the keeper renew what is due, with `force` also what is not, and waits for the end. Returns the token
   * published then; `undefined` where the answer has none.
   */
  renew(options: { readonly force: boolean }): Promise<ClientToken | undefined>
  close?(): Promise<void>
}
