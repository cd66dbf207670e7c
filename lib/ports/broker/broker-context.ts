import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import type { AccountSettings } from '../../model/account-state.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import type { Clock } from '../clock.ts'
import type { HttpReply, HttpRequest } from '../http.ts'

/** What an adapter may use during one run for one account. */
export interface BrokerContext {
  readonly account: AccountId
  readonly settings: AccountSettings
  readonly clock: Clock
  /** No call is made after this instant. */
  readonly deadline: Temporal.Instant
  /** Hosts that a stored base_url may name over plain http; loopback is always allowed. */
  readonly allowHttpHosts: readonly string[]
  /**
   * The origin of one of the broker's hosts, or its override. Throws an Error for an unknown name, which is a
   * bug.
   */
  host(name: string): string
  /** A stored credential. Throws ConfigurationError, which names the credential, where it is not stored. */
  secret(name: SecretName): Secret
  /** A stored credential; `undefined` where it is not stored. */
  optional(name: SecretName): Secret | undefined
  /** Notes that the broker has accepted this credential, whatever happens to the later steps. */
  accepted(name: SecretName): void
  /**
   * Sends a request once, within the deadline, and waits for the reply. Throws HttpError. Reads the broker's
   * clock from the reply.
   */
  send(request: Omit<HttpRequest, 'timeoutMs'> & { readonly timeoutMs?: number }): Promise<HttpReply>
  /**
   * Milliseconds the broker's clock is ahead of ours, by its replies in this run; `undefined` before the
   * first reply.
   */
  brokerDriftMs(): number | undefined
  /**
   * A one-time code of a step never used before, which has certainly begun and has at least 8 s left. Waits
   * for one where needed. Throws BrokerUnavailableError where none begins before the deadline.
   */
  totp(secret: Secret): Promise<string>
}

/** The most attempts an account may make; successful ones count too. */
export interface LoginBudget {
  readonly perHour?: number
  /** Per calendar day in the broker's zone. */
  readonly perDay?: number
  readonly minimumGapSeconds: number
}

/**
 * What a grant or a login gave. A field that the reply did not have is absent, and does not erase what is
 * stored.
 */
export interface Renewal {
  readonly accessToken: Secret
  readonly refreshToken?: Secret
  /** Values without which the access token is useless, together with the token, as one JSON text. */
  readonly session?: Secret
  /** When the request was sent; lifetimes count from then. */
  readonly sentAt: Temporal.Instant
  /** Whose token it is, as the reply or the token itself says; what the proof says counts more. */
  readonly userId?: string
  /** The life in seconds, as the reply said. */
  readonly expiresIn?: number
  /** When the token dies, where the reply named an instant. */
  readonly expiresAt?: Temporal.Instant
  /** Set where the grant itself had to prove the token, so that it is not proven twice. */
  readonly proof?: Partial<Proof>
  /** Why the grant's own proof gave no verdict: the token is kept until one does. */
  readonly unproven?: Error
}

/** Whose token it is, as the broker tells it. */
export interface Proof {
  readonly userId: string
  readonly clientName?: string
}

/** Origins by host name; `undefined` for a host that exists only where the owner has named one. */
export type Hosts = Readonly<Record<string, string | undefined>>
