import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'

/**
 * A message to a person. It cannot hold a secret: every field is ours or a fact of the broker from an
 * allow-list.
 */
export interface Alert {
  readonly kind: 'login_needed' | 'human_action' | 'operator_action' | 'token_lost' | 'solved'
  readonly severity: 'page' | 'action' | 'info'
  readonly account: AccountId
  readonly broker: string
  /** The account's nickname, or its id. */
  readonly accountName: string
  /** The incident's id, the same in all its messages. */
  readonly incident: string
  /** One line for a mail subject: action, account, deadline. */
  readonly title: string
  /** What happened and why, in one sentence. */
  readonly reason: string
  /** What to do, as a command or a sentence. */
  readonly action: string
  /** By when to act, in the broker's zone; absent where there is no deadline. */
  readonly deadline?: Temporal.ZonedDateTime
  /** A link that opens the login page. */
  readonly link?: string
}

export interface Notifier {
  /** Delivers the alert to all its subscribers. Throws NotificationError. */
  notify(alert: Alert): Promise<void>
}
