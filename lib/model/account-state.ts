import { Temporal } from 'temporal-polyfill'
import type { AccountId } from './account-id.ts'
import type { ErrorCode } from './errors.ts'
import type { Outcome } from './outcome.ts'
import type { SecretName } from './secret-name.ts'

type Instant = Temporal.Instant
/** The ways to a token that need nobody. */
export type GrantKind = 'refresh_token' | 'credentials' | 'upstream'
/** Where an access token came from: a grant, a person's login or approval, somebody who handed it to us, or the vault. */
export type TokenSource = GrantKind | 'login' | 'approval' | 'given' | 'found'

/** What the owner of an account chose; set by `setup`, never by a run. */
export interface AccountSettings {
  readonly nickname?: string
  /** `external`: somebody else keeps this token; it is never touched. */
  readonly managedBy?: 'external'
  readonly leewayMinutes?: number
  /** A local ceiling on a token's age, in hours. */
  readonly maxLifetimeHours?: number
  /** Choices only one broker knows, such as its API variant. */
  readonly options?: Readonly<Record<string, string>>
}

/** What is known of the access token that consumers see. */
export interface AccessTokenRecord {
  readonly issuedAt: Instant
  readonly expiresAt: Instant
  /** Which rule set `expiresAt`, in words: "the token's own exp", "03:30 Asia/Kolkata". */
  readonly expiryDecidedBy: string
  readonly provenAt: Instant
  /** The vault's version of what was published; another one means that somebody else wrote it. */
  readonly version: number
  readonly publishedAt: Instant
  readonly source?: TokenSource
}

/** Why a grant is not to be tried, and what lifts that. */
export interface GrantBlock {
  readonly code: ErrorCode
  readonly reason: string
  readonly fix?: string
  /** The stamps of the secrets that are suspected; the block ends when one of them is stored again. */
  readonly stamps: Readonly<Record<string, string>>
  /** When it was written down; absent on records of earlier versions. */
  readonly at?: Instant
  /** The block also ends by itself at this instant. */
  readonly until?: Instant
  /** Whether a person's forced run may try all the same. */
  readonly forcible: boolean
}

/** Tries of one stored value that may have been wrong ones: each can bring a lock-out nearer (I7). */
interface UnconfirmedTries {
  /** Of the value that was sent: another one is counted anew. */
  readonly stamp: string
  readonly count: number
}

export interface Ambiguity {
  readonly grant: GrantKind
  readonly at: Instant
  /** How often the grant was sent again since. */
  readonly repeats: number
  readonly stamps: Readonly<Record<string, string>>
  /** Whether the stored access token was probed since. */
  readonly probed: boolean
}

export interface Incident {
  readonly id: string
  readonly kind: 'login_needed' | 'human_action' | 'operator_action' | 'token_lost'
  readonly openedAt: Instant
  /** Absent while the alert could not be delivered: the next run tries again. */
  readonly toldAt?: Instant
  /** When a person was last told or reminded. */
  readonly remindedAt?: Instant
  /** Set while the message that it is over could not be delivered. */
  readonly overAt?: Instant
}

/** One login a person has begun. */
export interface LoginAttempt {
  /** The SHA-256 of its state, in base64url: the state itself is known to the browser and the broker only. */
  readonly id: string
  /** The browser it is bound to. */
  readonly browser: string
  readonly startedAt: Instant
  readonly openUntil: Instant
  readonly redirectUri: string
  /** When a callback took it; no second one can. */
  readonly usedAt?: Instant
  readonly result?: LoginResult
}

/** How a login ended, for the receipt. */
export interface LoginResult {
  readonly success: boolean
  readonly at: Instant
  readonly code?: ErrorCode
  readonly reason: string
  readonly fix?: string
  /** The login worked and its token is kept: the next run proves and publishes it. */
  readonly kept?: true
  /** The code never left us, and may be handed in again. */
  readonly unsent?: true
}

/** A request the account holder may answer until it closes. */
export interface OpenRequest {
  readonly requestedAt: Instant
  readonly openUntil: Instant
}

/** The last time the broker was told to ask the account holder: the webhook is open until then, or until it was answered. */
export interface ApprovalRequest extends OpenRequest {
  /** Other requests that may be answered as well, once this one was or before. */
  readonly earlier?: readonly OpenRequest[]
  /** How many posted tokens were tried at the broker. */
  readonly tried: number
  readonly approvedAt?: Instant
  /** Whole seconds the broker's clock was ahead of ours when it was asked; absent where the clocks agree, or nobody could tell. */
  readonly driftSeconds?: number
}

/**
 * Something was sent that may have ended the published access token, and nothing has settled since whether it did: a
 * grant or code whose fate is unknown, or whose token was not published, or a request for approval.
 */
export interface Doubt {
  readonly since: Instant
  /** What was sent: the source of the token it may have brought. */
  readonly by: TokenSource
  /** The broker may act on it until then: a proof from before settles nothing. @default - it was over when it was sent */
  readonly openUntil?: Instant
}

/** A token that was minted and could not be proven or published yet; it is kept in the vault as `pending`. */
export interface PendingToken {
  readonly mintedAt: Instant
  readonly source: GrantKind | 'login' | 'approval'
}

/** How the last run ended, for whoever asks between runs. */
export interface LastRun {
  readonly at: Instant
  readonly outcome: Outcome
  readonly code?: ErrorCode
  readonly reason: string
  readonly fix?: string
  /** Only a login helps, and none before then. */
  readonly loginHelpsFrom?: Instant
}

/** The state record of one account: everything but its secrets. */
export interface AccountState {
  readonly account: AccountId
  /** Goes up by one with each write; a write that expects another one is refused. */
  readonly revision: number
  readonly settings: AccountSettings
  readonly paused?: { readonly since: Instant; readonly by?: string }
  /** Counts published access tokens. */
  readonly generation: number
  readonly accessToken?: AccessTokenRecord
  readonly refreshToken?: {
    readonly expiresAt?: Instant
    readonly savedAt: Instant
    readonly version: number
  }
  /** When a person last consented; a refresh never moves it. */
  readonly authorizedAt?: Instant
  /** The broker's user id, pinned at the first proof. */
  readonly userId?: string
  readonly clientName?: string
  /** `until` is the holder's own end (lib/tokens/rules/decide/held.ts). `takenAt` is absent on records of earlier versions. */
  readonly lease?: { readonly owner: string; readonly takenAt?: Instant; readonly until: Instant }
  /** Attempts at the broker's login in the last day, oldest first. */
  readonly attempts: readonly Instant[]
  /** Authorization codes exchanged in the last day, oldest first. */
  readonly exchanges?: readonly Instant[]
  /** Logins begun of late, oldest first. */
  readonly logins?: readonly LoginAttempt[]
  /** Approval requests in the last day, oldest first. */
  readonly approvalRequests?: readonly Instant[]
  readonly approval?: ApprovalRequest
  /** The last 30-second step a one-time code was made for. */
  readonly totpStep?: number
  readonly notBefore?: Instant
  /** When that was written down; absent on records of earlier versions. */
  readonly notBeforeSetAt?: Instant
  /** When the broker's login may be used again: a throttled grant says nothing about it. */
  readonly loginNotBefore?: Instant
  readonly loginNotBeforeSetAt?: Instant
  readonly blocks: Readonly<Partial<Record<GrantKind, GrantBlock>>>
  /** Passwords and PINs that were sent, and of which the broker has not said that they are right. */
  readonly unconfirmed?: Readonly<Partial<Record<SecretName, UnconfirmedTries>>>
  /** A grant was sent and its fate is unknown; over when one of the secrets it used is stored again. */
  readonly ambiguous?: Ambiguity
  readonly doubt?: Doubt
  readonly pending?: PendingToken
  /** The vault's version of the stored access token, where the broker refused it and none was published or proven since. */
  readonly refusedVersion?: number
  readonly incident?: Incident
  readonly last?: LastRun
}

/** Whether the broker has refused the access token consumers see, ours or one that somebody else stored since. */
export function isRefused({ accessToken, refusedVersion }: AccountState): boolean {
  return accessToken !== undefined && refusedVersion !== undefined
}

/** The record of an account nobody has worked on yet. */
export function newAccountState(account: AccountId, settings: AccountSettings = {}): AccountState {
  return { account, revision: 0, settings, generation: 0, attempts: [], blocks: {} }
}

/** Fields to set; `undefined` removes one. */
export type StateChanges = { readonly [Field in keyof AccountState]?: AccountState[Field] | undefined }

/** The next revision of a record. */
export function changed(state: AccountState, changes: StateChanges): AccountState {
  return { ...withChanges(state, changes), revision: state.revision + 1 }
}

/** The record with these changes, at the same revision. */
export function withChanges(state: AccountState, changes: StateChanges): AccountState {
  const next = { ...state, ...changes }
  return Object.fromEntries(
    Object.entries(next).filter(([, value]) => value !== undefined),
  ) as unknown as AccountState
}

const INSTANT_FIELDS = new Set([
  'since',
  'issuedAt',
  'expiresAt',
  'provenAt',
  'publishedAt',
  'savedAt',
  'authorizedAt',
  'until',
  'takenAt',
  'notBefore',
  'notBeforeSetAt',
  'loginNotBefore',
  'loginNotBeforeSetAt',
  'at',
  'openedAt',
  'toldAt',
  'overAt',
  'attempts',
  'exchanges',
  'approvalRequests',
  'startedAt',
  'openUntil',
  'usedAt',
  'requestedAt',
  'approvedAt',
  'remindedAt',
  'mintedAt',
  'loginHelpsFrom',
])

/** The record as plain JSON values, instants as ISO 8601 text. */
export function encodeAccountState(state: AccountState): Record<string, unknown> {
  return JSON.parse(JSON.stringify(state)) as Record<string, unknown>
}

/** The inverse of {@link encodeAccountState}. */
export function decodeAccountState(record: Record<string, unknown>): AccountState {
  return revive(record) as AccountState
}

function revive(value: unknown, field = ''): unknown {
  if (typeof value === 'string') return INSTANT_FIELDS.has(field) ? Temporal.Instant.from(value) : value
  if (Array.isArray(value)) return value.map((item) => revive(item, field))
  if (typeof value === 'object' && value !== null) {
    // What the owner named is no field of ours: options called "until" stay text.
    if (field === 'settings') return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revive(item, name)]))
  }
  return value
}

/** Which published token a consumer used: by our count, or by the vault's version where that is all it knows. */
export type RefusedToken = { readonly generation: number } | { readonly version: number }
