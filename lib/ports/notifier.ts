import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'

/** What a person is told. Holds no secret by construction: every field is ours or an allow-listed broker fact. */
export interface Alert {
  readonly kind: 'login_needed' | 'human_action' | 'operator_action' | 'token_lost' | 'solved'
  readonly severity: 'page' | 'action' | 'info'
  readonly account: AccountId
  readonly broker: string
  /** How people call the account. */
  readonly accountName: string
  /** The same for every message of one incident. */
  readonly incident: string
  /** One line for a mail subject: action, account, deadline. */
  readonly title: string
  /** What happened and why, in one sentence. */
  readonly reason: string
  /** What to do, as a command or a sentence. */
  readonly action: string
  /** By when, on the clocks of the account's market. */
  readonly deadline?: Temporal.ZonedDateTime
  /** Opens the login page. */
  readonly link?: string
}

export interface Notifier {
  /** Delivers the alert to whoever is subscribed. Throws NotificationError. */
  notify(alert: Alert): Promise<void>
}
