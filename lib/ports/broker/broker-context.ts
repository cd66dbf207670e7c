import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountSettings } from '../../model/account-state.ts'
import type { Secret } from '../../model/secret.ts'
import type { SecretName } from '../../model/secret-name.ts'
import type { Clock } from '../clock.ts'
import type { HttpReply, HttpRequest } from '../http.ts'

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

/** Base addresses by name; `undefined` for a host that exists only where the owner has named one. */
export type Hosts = Readonly<Record<string, string | undefined>>
