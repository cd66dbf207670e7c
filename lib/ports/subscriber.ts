import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'
import type { TokenSource } from '../model/account-state.ts'
import type { Secret } from '../model/secret.ts'

/** A newly published access token, as consumers may know it. */
export interface Publication {
  readonly account: AccountId
  readonly broker: string
  /** The IANA zone this broker's times are told in. */
  readonly timeZone: string
  /** Counts the account's published access tokens. */
  readonly generation: number
  readonly issuedAt: Temporal.Instant
  readonly expiresAt: Temporal.Instant
  readonly provenAt: Temporal.Instant
  readonly source: TokenSource | undefined
  /** For mirrors; events leave it out. */
  readonly accessToken: Secret
}

/** Who is told of each published token: a topic of events, a mirror that other programs read. */
export interface Subscriber {
  /** For messages: "Redis mirror". */
  readonly name: string
  /** Throws SubscriberError; that never fails a run. */
  onPublished(publication: Publication): Promise<void>
  /**
   * A run found the published token fresh: a mirror that lost it, or missed it, puts it back. Without effect where it
   * is in its place. Throws SubscriberError; that never fails a run.
   */
  onStillCurrent?(publication: Publication): Promise<void>
  /** The account was paused or removed: what a mirror holds of it goes. Throws SubscriberError. */
  onWithdrawn(account: AccountId): Promise<void>
}
