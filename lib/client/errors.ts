import { inspect } from 'node:util'
import type { AccountId } from '../model/account-id.ts'
import type { ErrorCode } from '../model/errors.ts'
import { maskSecrets } from '../model/secrets/secret.ts'

/** Who has to act. `wait`: nobody, since it passes or the keeper's next run corrects it. */
export type ClientActor = 'person' | 'operator' | 'developer' | 'wait'

interface ClientErrorDetails {
  /** What the actor should do, as one imperative sentence without a full stop. */
  readonly fix: string
  readonly cause?: unknown
}

/**
 * The base of the client's errors. `message` and `fix` are safe to show and to log: they contain no token.
 */
abstract class ClientError extends Error {
  abstract readonly code: string
  abstract readonly actor: ClientActor
  readonly fix: string

  constructor(message: string, { fix, cause }: ClientErrorDetails) {
    super(message)
    this.name = new.target.name
    this.fix = fix
    // Left out of dumps, since a library's error can contain URLs and headers; a debugger still finds it.
    if (cause !== undefined) Object.defineProperty(this, 'cause', { value: cause, enumerable: false })
  }

  [inspect.custom](): string {
    const { cause } = this
    const because = cause instanceof Error ? `, cause: ${cause.name}: ${maskSecrets(cause.message)}` : ''
    return `${this.stack ?? this.message} { code: '${this.code}', actor: '${this.actor}'${because} }`
  }
}

/** Why there is no token as it is wanted: the keeper's own codes, and those that only a client has. */
export type UnavailableCode =
  | ErrorCode
  /** A person must log in at the broker. */
  | 'awaiting_login'
  /** No token was published yet. */
  | 'no_token'
  /** The published token is dead, and there is no newer one. */
  | 'expired'
  /** Something may have ended the published token, and the broker was not asked since. */
  | 'unproven'
  /** The published token dies before the caller is done with it. */
  | 'too_short'
  /** It is not known how long the published token lives. */
  | 'unknown_expiry'
  | 'paused'
  /** Somebody else manages this account's token. */
  | 'managed_elsewhere'
  | 'unknown_account'
  /** Another run is at work on the account. */
  | 'busy'
  /** This client may only read tokens, and was not told how to have one renewed. */
  | 'cannot_renew'
  /** The REST interface was not reached. */
  | 'unreachable'
  /** A code of the REST interface that this version does not know. */
  | (string & {})

export interface UnavailableDetails extends ClientErrorDetails {
  readonly account: AccountId
  readonly code: UnavailableCode
  /** @default - what the code says */
  readonly actor?: ClientActor
  /** Seconds after which to ask again; absent where that is not known. */
  readonly retryAfterSeconds?: number | undefined
}

const PERSON: ReadonlySet<string> = new Set([
  'awaiting_login',
  'human_action',
  'wrong_account',
  'grant_rejected',
  'token_lost',
])
const WAIT: ReadonlySet<string> = new Set([
  'busy',
  'unreachable',
  'broker_unavailable',
  'rate_limited',
  'too_many_requests',
  'ambiguous',
  'no_token',
  'expired',
  'internal',
])

/** There is no token that lasts as long as it is needed. `code`, `actor` and `fix` say why and who must do what. */
export class TokenUnavailableError extends ClientError {
  override readonly code: UnavailableCode
  override readonly actor: ClientActor
  readonly account: AccountId
  readonly retryAfterSeconds: number | undefined

  constructor(message: string, details: UnavailableDetails) {
    super(message, details)
    const { code, account, retryAfterSeconds } = details
    this.code = code
    this.account = account
    this.actor = details.actor ?? (PERSON.has(code) ? 'person' : WAIT.has(code) ? 'wait' : 'operator')
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Why a call was not made, or has no reply. */
export type CallCode =
  /** No reply came, and no repeat was made or succeeded. */
  | 'network'
  /** The token may not be sent to this address. */
  | 'host_not_allowed'
  /** The body was sent and cannot be sent again; give a function that makes it. */
  | 'body_not_replayable'
  /** The broker's header needs the app's id, which is not known here. */
  | 'client_id_missing'
  | 'too_many_redirects'
  | 'redirected'
  /** The call itself is malformed. */
  | 'invalid_call'

export interface CallDetails extends ClientErrorDetails {
  readonly code: CallCode
  readonly actor: ClientActor
  /** Whether the other side may have seen the call. @default true */
  readonly sent?: boolean
}

/** A call that was not made, or whose reply did not come. */
export class CallError extends ClientError {
  override readonly code: CallCode
  override readonly actor: ClientActor
  readonly sent: boolean

  constructor(message: string, details: CallDetails) {
    super(message, details)
    this.code = details.code
    this.actor = details.actor
    this.sent = details.sent ?? true
  }
}

export { ClientError }
