import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'
import type { TokenSource } from '../model/account-state.ts'
import type { Secret } from '../model/secrets/secret.ts'

/** A newly published access token. */
export interface Publication {
  readonly account: AccountId
  readonly broker: string
  /** The IANA zone in which this broker's times are shown. */
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

/** A receiver of each published token: a topic of events, or a mirror that other programs read. */
export interface Subscriber {
  /** The name in messages: "Redis mirror". */
  readonly name: string
  /** Called after each publication. Throws SubscriberError, which never fails a run. */
  onPublished(publication: Publication): Promise<void>
  /**
   * Called when a run found the published token fresh: a mirror that lost or missed it restores it, and does
   * nothing where it has it. Throws SubscriberError, which never fails a run.
   */
  onStillCurrent?(publication: Publication): Promise<void>
  /** Called when the account was paused or removed: a mirror removes its copy. Throws SubscriberError. */
  onWithdrawn(account: AccountId): Promise<void>
}
