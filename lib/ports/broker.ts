import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'
import type { AccountSettings, GrantKind } from '../model/account-state.ts'
import type { SessionModel } from '../model/expiry/session-model.ts'
import type { Secret } from '../model/secret.ts'
import type { SecretName } from '../model/secret-name.ts'
import type { Clock } from './clock.ts'
import type { HttpReply, HttpRequest } from './http.ts'
import type { Login } from './login.ts'

/**
 * What the domain knows of a broker: how its tokens die, which grants bring one back, and how to prove one.
 * An adapter is a literal of this shape in lib/brokers; it speaks the broker's protocol and decides nothing else.
 */
export interface Broker {
  readonly id: string
  readonly displayName: string
  /** Origins of the broker's hosts, replaceable by `TOKENKEEPER_HOST_<NAME>`; absent for a stored base_url. */
  readonly hosts: Hosts
  /** What `setup` asks for, in this order; at most ten names with the tokens, so that one read fetches all. */
  readonly credentials: readonly CredentialField[]
  readonly session: SessionModel
  /** Whether a newer access token ends the older one; `one` wherever that is not known for sure. */
  readonly sessions: 'one' | 'many'
  /** The ladder, best first. A grant whose `needs` are not all stored is passed over. */
  readonly grants: readonly Grant[]
  /** Set where a person can log in when no grant is left. */
  readonly login?: Login
  /**
   * Live, read-only, free to repeat. Throws GrantRejectedError for a dead token. What the broker does not tell
   * is absent (IIFL XTS names the user at login only), and what is pinned stays.
   */
  prove(context: BrokerContext, accessToken: Secret): Promise<Partial<Proof>>
  /**
   * Whether an account's interface has a call that proves a token. Where it has none, the reply to the login is the only
   * proof there is: what is in doubt is renewed, and no token is taken from elsewhere. @default - it has
   */
  readonly provable?: (settings: AccountSettings) => boolean
  /**
   * What a program sends the broker as its Authorization header, with the values of `{access_token}` and, where
   * the broker wants it, `{client_id}` filled in. @default - Bearer {access_token}
   */
  readonly authorization?: string
  /** Seconds between the starts of two accounts of one run. */
  readonly pacingSeconds: number
  /** Accounts worked on at the same time; 1 where the broker counts calls per address. */
  readonly concurrency: number
  readonly schedule: { readonly expressions: readonly string[]; readonly timeZone: string }
  /** When the account's tokens are needed; absent where there is no market. */
  readonly tradingSession?: TradingSession
  /** When a person is asked again for what is still open, in minutes before the market opens. @default - 60 and 30 */
  readonly remindMinutesBeforeOpen?: readonly number[]
  /** How near the open a token has to be proven once more, in minutes; at most 180. @default - 45 */
  readonly proveMinutesBeforeOpen?: number
  /** Choices of an account that only this broker knows, and what each chooses: `setup --option name=value`. */
  readonly options?: Readonly<Record<string, string>>
  /** Said by `setup`, the README's table and `doctor`: undocumented endpoints, consent. */
  readonly warning?: string
}

/** Base addresses by name; `undefined` for a host that exists only where the owner has named one. */
export type Hosts = Readonly<Record<string, string | undefined>>

export interface TradingSession {
  readonly timeZone: string
  /** Wall-clock HH:MM. */
  readonly opens: string
  readonly closes: string
}

export interface CredentialField {
  readonly name: SecretName
  /** How the broker calls it. */
  readonly label: string
  /** False for what may be shown while it is typed: a user id, an address. */
  readonly hidden: boolean
  readonly required: boolean
  /** Says what is wrong with a value without repeating it; `undefined` when it is fine. */
  readonly problem?: (value: string) => string | undefined
  /**
   * After how many wrong tries the broker locks the account, for what a person chose and can mistype; `never` where it
   * only makes us wait. @default - 3 for a password or PIN, none for keys the broker made
   */
  readonly lockAfter?: number | 'never'
  /** The variable of the guide this replaces, for `setup --from-env`. */
  readonly env?: readonly string[]
}

/** One way to a new access token. */
export interface Grant {
  readonly kind: GrantKind
  readonly needs: readonly SecretName[]
  /** Whether the account's settings and the hosts there are switch this grant on; on by default. */
  readonly enabled?: (settings: AccountSettings, hosts: Hosts) => boolean
  readonly budget: LoginBudget
  /**
   * How often a grant whose fate is unknown may be sent again by a later run, after the stored token was probed.
   * 0 for a rotating refresh token, whose second use can revoke the whole family; `budget` where only the login
   * budget limits it (a password that counts attempts but is not spent).
   */
  readonly repeatsAfterAmbiguity: 0 | 1 | 'budget'
  /**
   * Minutes a refusal stands where what would lift it is not stored with us, such as another service's token.
   * @default - until one of `needs` is stored again; for a refused app until the next day
   */
  readonly refusalStandsMinutes?: number
  /** Gets a new access token with one attempt. Throws the errors of lib/model/errors.ts. */
  renew(context: BrokerContext): Promise<Renewal>
}

/** The most attempts an account may make; every attempt counts, successful ones too. */
export interface LoginBudget {
  readonly perHour?: number
  /** Per calendar day in the broker's zone. */
  readonly perDay?: number
  readonly minimumGapSeconds: number
}

/** What a grant gave. A field the reply did not have stays absent and never erases what is stored. */
export interface Renewal {
  readonly accessToken: Secret
  readonly refreshToken?: Secret
  /** Companions without which the access token is useless, with the token itself, as one JSON text. */
  readonly session?: Secret
  /** When the request was sent: lifetimes count from here. */
  readonly sentAt: Temporal.Instant
  /** Whose token it is, as the reply or the token itself says; the proof has the last word. */
  readonly userId?: string
  /** Seconds, as the reply said. */
  readonly expiresIn?: number
  /** An instant the reply itself named. */
  readonly expiresAt?: Temporal.Instant
  /** Set where the grant had to prove the token to do its work; it is not proven twice. */
  readonly proof?: Partial<Proof>
  /** Why such a proof came to no verdict: the token is kept until one does. */
  readonly unproven?: Error
}

/** Whose token it is, as the broker tells it. */
export interface Proof {
  readonly userId: string
  readonly clientName?: string
}

/** What an adapter may use during one run for one account. */
export interface BrokerContext {
  readonly account: AccountId
  readonly settings: AccountSettings
  readonly clock: Clock
  /** The adapter gives up before this instant. */
  readonly deadline: Temporal.Instant
  /** Hosts a stored base_url may name over plain http; loopback always may. */
  readonly allowHttpHosts: readonly string[]
  /** The origin of one of the broker's hosts, overrides applied. */
  host(name: string): string
  /** A stored credential. Throws ConfigurationError naming the parameter when it is missing. */
  secret(name: SecretName): Secret
  /** The same, or `undefined`. */
  optional(name: SecretName): Secret | undefined
  /** Says that the broker has taken this credential for right, whatever becomes of the steps after it. */
  accepted(name: SecretName): void
  /** Sends once within the deadline. Throws HttpError. Measures the clock drift by the way. */
  send(request: Omit<HttpRequest, 'timeoutMs'> & { readonly timeoutMs?: number }): Promise<HttpReply>
  /** Milliseconds the broker's clock is ahead of ours as its replies of this run tell; `undefined` before the first. */
  brokerDriftMs(): number | undefined
  /** A one-time code of a step never used before, surely begun and with at least 8 s left; waits for one if need be. */
  totp(secret: Secret): Promise<string>
}
