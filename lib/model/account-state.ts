import type { AccountId } from './account-id.ts'
import type { AccountState } from './state/record.ts'
import type { AccountSettings } from './state/settings.ts'

export type { AccessTokenRecord, TokenOrigin as TokenSource } from './state/access-token.ts'
export type { ApprovalRequest, OpenRequest } from './state/approval.ts'
export { decodeAccountState, encodeAccountState, type RecordPlace } from './state/codec.ts'
export type { Doubt, PendingToken } from './state/doubt-and-pending.ts'
export type { Ambiguity, GrantBlock, GrantKind } from './state/grants.ts'
export type { Incident } from './state/incident.ts'
export type { LastRun } from './state/last-run.ts'
export type { LoginAttempt, LoginResult } from './state/login.ts'
export type { AccountState } from './state/record.ts'
export type { AccountSettings } from './state/settings.ts'

/**
 * Whether the broker has refused the stored access token, be it the published one or one that somebody else
 * stored since.
 */
export function isRefused({ accessToken, refusedVersion }: AccountState): boolean {
  return accessToken !== undefined && refusedVersion !== undefined
}

/** The record of an account before any work on it; its revision is 0. */
export function newAccountState(account: AccountId, settings: AccountSettings = {}): AccountState {
  return { account, revision: 0, settings, generation: 0, attempts: [], blocks: {} }
}

/** Fields of the record to set; `undefined` removes one. */
export type StateChanges = { readonly [Field in keyof AccountState]?: AccountState[Field] | undefined }

/** A record with some fields changed and the revision as it was: how it stands before it is written. Pure. */
export function withChanges(state: AccountState, changes: StateChanges): AccountState {
  const fields = Object.entries({ ...state, ...changes }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(fields) as unknown as AccountState
}

/** The next revision of a record, with some fields changed, ready to be written. Pure. */
export function changed(state: AccountState, changes: StateChanges): AccountState {
  return withChanges(state, { ...changes, revision: state.revision + 1 })
}

/**
 * Which published token a consumer used: by its generation, or by the vault's version where the consumer
 * knows only that.
 */
export type ReportedToken = { readonly generation: number } | { readonly version: number }
