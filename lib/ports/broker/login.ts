import type { Temporal } from 'temporal-polyfill'
import type { Secret } from '../../model/secret.ts'
import type { SecretName } from '../../model/secret-name.ts'
import type { BrokerContext, LoginBudget, Renewal } from './broker-context.ts'

/** How a person brings an account's token back. */
export interface Login {
  /** For a sentence: "log in at FYERS". */
  readonly how: string
  /** Set where we are the app a person logs in to; else what the person gets is handed in by `put`. */
  readonly code?: CodeLogin
  /** Set where the broker asks its customer in its own app. */
  readonly approval?: PushApproval
}

/** RFC 6749's authorization code grant, in the broker's own dialect. */
export interface CodeLogin {
  /** What must be stored to begin a login and to end it. */
  readonly needs: readonly SecretName[]
  /** The most codes an account may exchange; counted apart from the grants' attempts. */
  readonly budget: LoginBudget
  /** The address of the broker's login page. Throws ConfigurationError. */
  authorizationUrl(context: BrokerContext, request: AuthorizationRequest): string
  /** What the redirect back brought, beside our own `state`. */
  readCallback(parameters: URLSearchParams): Callback
  /** Exchanges the code with one attempt: it works once. Throws the errors of lib/model/errors.ts. */
  exchange(context: BrokerContext, authorization: Authorization): Promise<Renewal>
}

export interface AuthorizationRequest {
  /** One-time value that comes back with the code (RFC 6749 section 4.1.1); safe in a URL. */
  readonly state: string
  /** Where the broker sends the browser back to. */
  readonly redirectUri: string
  /** For an adapter that uses PKCE (RFC 7636); the same one comes with the exchange. */
  readonly codeVerifier: Secret
}

export interface Callback {
  /** The authorization code; absent when the person or the broker refused. */
  readonly code?: Secret
  /** Whose login it is, where the redirect says so. */
  readonly userId?: string
  /** The broker's own word for a refusal. */
  readonly refusal?: string
}

export interface Authorization {
  readonly code: Secret
  readonly redirectUri: string
  /** Absent where a bare code was handed in, without the state it was made for. */
  readonly codeVerifier?: Secret
}

/** The broker asks its customer in its own app and posts the token to us: a webhook that nobody signs. */
export interface PushApproval {
  readonly needs: readonly SecretName[]
  /** The most requests an account may make. */
  readonly budget: LoginBudget
  /** Seconds after which the page stops waiting and offers another way. */
  readonly waitSeconds: number
  /** Until when the holder may approve at the latest, where the broker's reply is lost. @default - as long as the page waits */
  readonly openAtMost?: (requestedAt: Temporal.Instant) => Temporal.Instant
  /** When the first run from then on asks by itself, HH:MM in the broker's zone. @default - never: from the page only */
  readonly at?: string
  /** Asks the account holder. Throws AmbiguousError when nobody knows whether they were asked. */
  request(context: BrokerContext): Promise<{
    /** Until when the holder may approve. */
    readonly openUntil: Temporal.Instant
  }>
  /**
   * What a body posted to us says; `undefined` for anything that is not what the broker sends. Nothing of it is
   * to be believed before the token was proven.
   */
  readWebhook(body: unknown): Candidate | undefined
}

export interface Candidate {
  readonly clientId: string
  readonly userId: string
  readonly accessToken: Secret
  readonly issuedAt: Temporal.Instant
  readonly expiresAt: Temporal.Instant
}
