import type { SecretName } from '../secret-name.ts'
import { AccessTokenRecord, RefreshTokenRecord } from './access-token.ts'
import { ApprovalRequest } from './approval.ts'
import { Doubt, PendingToken } from './doubt-and-pending.ts'
import {
  accountId,
  byName,
  instant,
  list,
  number,
  openName,
  optional,
  part,
  text,
  type ValueOf,
} from './fields.ts'
import { Ambiguity, GrantBlock, type GrantKind, UnconfirmedTries } from './grants.ts'
import { Incident } from './incident.ts'
import { LastRun } from './last-run.ts'
import { LoginAttempt } from './login.ts'
import { AccountSettings } from './settings.ts'

export const AccountState = part({
  account: accountId,
  /** Goes up by one with each write; a write that expects another one is refused. */
  revision: number,
  settings: AccountSettings,
  paused: optional(part({ since: instant, by: optional(text) })),
  /** Counts published access tokens. */
  generation: number,
  accessToken: optional(AccessTokenRecord),
  refreshToken: optional(RefreshTokenRecord),
  /** When a person last consented; a refresh never moves it. */
  authorizedAt: optional(instant),
  /** The broker's user id, pinned at the first proof. */
  userId: optional(text),
  clientName: optional(text),
  /** `until` is the holder's own end (lib/tokens/rules/held.ts). `takenAt` is absent on records of earlier versions. */
  lease: optional(part({ owner: text, takenAt: optional(instant), until: instant })),
  /** Attempts at the broker's login in the last day, oldest first. */
  attempts: list(instant),
  /** Authorization codes exchanged in the last day, oldest first. */
  exchanges: optional(list(instant)),
  /** Logins begun of late, oldest first. */
  logins: optional(list(LoginAttempt)),
  /** Approval requests in the last day, oldest first. */
  approvalRequests: optional(list(instant)),
  approval: optional(ApprovalRequest),
  /** The last 30-second step a one-time code was made for. */
  totpStep: optional(number),
  notBefore: optional(instant),
  /** When that was written down; absent on records of earlier versions. */
  notBeforeSetAt: optional(instant),
  /** When the broker's login may be used again: a throttled grant says nothing about it. */
  loginNotBefore: optional(instant),
  loginNotBeforeSetAt: optional(instant),
  blocks: byName(openName<GrantKind>(), GrantBlock),
  /** Passwords and PINs that were sent, and of which the broker has not said that they are right. */
  unconfirmed: optional(byName(openName<SecretName>(), UnconfirmedTries)),
  /** A grant was sent and its fate is unknown; over when one of the secrets it used is stored again. */
  ambiguous: optional(Ambiguity),
  doubt: optional(Doubt),
  pending: optional(PendingToken),
  /** The vault's version of the stored access token, where the broker refused it and none was published or proven since. */
  refusedVersion: optional(number),
  incident: optional(Incident),
  last: optional(LastRun),
})
/** The state record of one account: everything but its secrets. */
export interface AccountState extends ValueOf<typeof AccountState> {}
