import type { Temporal } from 'temporal-polyfill'
import type { AccountState, ReportedToken } from '../../../model/account-state.ts'
import type { ErrorCode } from '../../../model/errors.ts'
import type { Broker, Grant } from '../../../ports/broker/broker.ts'
import type { Hosts } from '../../../ports/broker/broker-context.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'

/** What a run should do about one account, and why. */
export type Decision =
  /** Nothing to do: the token is live and not due. */
  | { readonly action: 'fresh'; readonly reason: string }
  /**
   * Prove the stored access token: we did not publish it, it is in doubt, or the fate of a renewal is
   * unknown.
   */
  | { readonly action: 'probe'; readonly reason: string }
  /** Prove and publish a pending token. */
  | { readonly action: 'publish_pending'; readonly reason: string }
  | { readonly action: 'refresh'; readonly reason: string; readonly grant: Grant }
  /** A renewal is due, but not before `until`. `live` says whether the published token still works. */
  | {
      readonly action: 'wait'
      readonly reason: string
      readonly until: Temporal.Instant
      readonly live: boolean
    }
  /** Only a person can help, by logging in. */
  | { readonly action: 'ask'; readonly reason: string }
  /** Only a login helps, but the token of a login before `from` would be dead when the market opens. */
  | { readonly action: 'ask_later'; readonly reason: string; readonly from: Temporal.Instant }
  /** Nothing can be done until somebody changes what `fix` names. */
  | { readonly action: 'stop'; readonly reason: string; readonly fix: string; readonly code: ErrorCode }
  | { readonly action: 'paused'; readonly reason: string }
  | { readonly action: 'skip'; readonly reason: string }

/** What `decide` looks at: one account as it was read, the time, and what is asked for. */
export interface Situation {
  readonly broker: Broker
  readonly state: AccountState
  readonly stored: StoredSecrets
  readonly now: Temporal.Instant
  /** Overrides of the broker's hosts. @default - none */
  readonly hosts?: Hosts
  /**
   * When a person asked for a new token although the stored one may be fresh; a renewal after this instant
   * satisfies it.
   */
  readonly forcedAt?: Temporal.Instant | undefined
  /** A consumer was refused by the broker with this access token. */
  readonly reported?: ReportedToken | undefined
}

/** Nothing can be done until somebody changes what `fix` names. */
export function stop(reason: string, fix: string, code: ErrorCode = 'configuration_invalid'): Decision {
  return { action: 'stop', reason, fix, code }
}
