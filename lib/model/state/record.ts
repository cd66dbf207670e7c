import { TOKEN_FIELDS } from './access-token.ts'
import { APPROVAL_FIELDS } from './approval.ts'
import { UNSETTLED_FIELDS } from './doubt-and-pending.ts'
import { accountId, instant, number, optional, part, text, type ValueOf } from './fields.ts'
import { GRANT_FIELDS } from './grants.ts'
import { Incident } from './incident.ts'
import { LastRun } from './last-run.ts'
import { LOGIN_FIELDS } from './login.ts'
import { AccountSettings } from './settings.ts'

/**
 * The groups are spread into one flat record, as 0.1 wrote it: after a rollback 0.1 must be able to read
 * this.
 */
export const AccountState = part({
  account: accountId,
  /** Raised by one with each write; a write is refused where another revision is stored than it expects. */
  revision: number,
  settings: AccountSettings,
  paused: optional(part({ since: instant, by: optional(text) })),
  /** The broker's user id, pinned at the first proof. */
  userId: optional(text),
  clientName: optional(text),
  /**
   * `until` is when the holder itself stops (lib/tokens/rules/decide/held.ts). `takenAt` is absent on records
   * of earlier versions.
   */
  lease: optional(part({ owner: text, takenAt: optional(instant), until: instant })),
  ...TOKEN_FIELDS,
  ...UNSETTLED_FIELDS,
  ...GRANT_FIELDS,
  ...LOGIN_FIELDS,
  ...APPROVAL_FIELDS,
  incident: optional(Incident),
  last: optional(LastRun),
})
/** The state record of one account: everything but its secrets. */
export interface AccountState extends ValueOf<typeof AccountState> {}
