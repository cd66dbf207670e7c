import type { Temporal } from 'temporal-polyfill'
import type { Secret } from '../../model/secrets/secret.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import type { BrokerContext, LoginBudget, Renewal } from './broker-context.ts'

/** How a person brings an account's token back. */
export interface Login {
  /** What to do, as the beginning of a sentence: "log in at FYERS". */
  readonly how: string
  /** Set where the login returns to us with a code; where absent, the person hands the token in by `put`. */
  readonly code?: CodeLogin
  /** Set where the broker asks its customer in its own app. */
  readonly approval?: PushApproval
}

/** The authorization code grant of RFC 6749, in the broker's dialect. */
export interface CodeLogin {
  /** What must be stored to begin a login and to end it. */
  readonly needs: readonly SecretName[]
  /** How many codes an account may exchange; counted apart from the grants' attempts. */
  readonly budget: LoginBudget
  /** The address of the broker's login page. Throws ConfigurationError. */
  authorizationUrl(context: BrokerContext, request: AuthorizationRequest): string
  /** Reads what the redirect brought, apart from our own `state`. */
  readCallback(parameters: URLSearchParams): Callback
  /**
   * Exchanges the code with one attempt, since a code works once. Throws the errors of lib/model/errors.ts.
   */
  exchange(context: BrokerContext, authorization: Authorization): Promise<Renewal>
}

/** What the address of a broker's login page is made of. */
export interface AuthorizationRequest {
  /** One-time value that comes back with the code (RFC 6749 section 4.1.1); safe in a URL. */
  readonly state: string
  /** Where the broker sends the browser back to. */
  readonly redirectUri: string
  /** For an adapter that uses PKCE (RFC 7636); the exchange gets the same one. */
  readonly codeVerifier: Secret
}

/** What the broker's redirect brought. */
export interface Callback {
  /** The authorization code; absent where the person or the broker refused. */
  readonly code?: Secret
  /** Whose login it is, where the redirect says so. */
  readonly userId?: string
  /** The broker's own word for a refusal. */
  readonly refusal?: string
}

/** What a code is exchanged with. */
export interface Authorization {
  readonly code: Secret
  readonly redirectUri: string
  /** Absent where a bare code was pasted without its state. */
  readonly codeVerifier?: Secret
}

/** The broker asks its customer in its own app and posts the token to us: a webhook that nobody signs. */
export interface PushApproval {
  readonly needs: readonly SecretName[]
  /** The most requests an account may make. */
  readonly budget: LoginBudget
  /** Seconds after which the page stops waiting and offers another way. */
  readonly waitSeconds: number
  /**
   * Until when the holder may approve at the latest; used where the broker's reply is lost. @default -
   * `waitSeconds` after the request
   */
  readonly openAtMost?: (requestedAt: Temporal.Instant) => Temporal.Instant
  /**
   * The time of day, HH:MM in the broker's zone, from which the first run requests an approval. @default -
   * never: only from the page
   */
  readonly at?: string
  /**
   * Has the broker ask the account holder. Throws AmbiguousError where it is not known whether they were
   * asked, and the errors of lib/model/errors.ts.
   */
  request(context: BrokerContext): Promise<{
    /** Until when the holder may approve. */
    readonly openUntil: Temporal.Instant
  }>
  /**
   * Reads a body posted to us; `undefined` for anything that the broker does not send. Nothing in it is to be
   * believed before the token was proven.
   */
  readWebhook(body: unknown): Candidate | undefined
}

/** What a post to the webhook claims. */
export interface Candidate {
  readonly clientId: string
  readonly userId: string
  readonly accessToken: Secret
  readonly issuedAt: Temporal.Instant
  readonly expiresAt: Temporal.Instant
}
