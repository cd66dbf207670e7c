import type { AccountId } from '../model/account-id.ts'
import type { ErrorCode } from '../model/errors.ts'

/** The browser a login is bound to: the SHA-256 of its cookie, or the command line. */
export type BrowserBinding = string
/** The binding of logins begun at the command line, which end there too. No cookie's hash has this form. */
export const COMMAND_LINE: BrowserBinding = 'cli'

/** A request was refused and nothing was changed; `reason` and `fix` are for people. */
export interface Refusal {
  readonly refused: true
  readonly code: ErrorCode | 'unknown_state' | 'state_expired' | 'other_browser'
  readonly reason: string
  readonly fix: string
}

/** A login that a person wants to begin. */
export interface StartOrder {
  readonly account: AccountId
  readonly browser: BrowserBinding
  /**
   * The callback address of the site that starts the login; the account's stored redirect_uri counts more.
   */
  readonly callbackUrl: string | undefined
}

/** A login that was opened, and where the person goes next. */
export interface Started {
  readonly authorizationUrl: string
  /** Where the broker will send the browser. */
  readonly redirectUri: string
  readonly loginId: string
}

/** What a login ends with: a redirect that came back, or a code that somebody copied. */
export type FinishOrder =
  | {
      readonly by: 'redirect'
      /** The broker whose callback was called. */
      readonly broker: string
      /** The query as it came, without the question mark. It holds the code. */
      readonly query: string
      readonly browser: BrowserBinding
    }
  | { readonly by: 'code'; readonly account: AccountId; readonly code: string }

/** A login that was ended; the record tells how. */
export interface Finished {
  readonly account: AccountId
  /** The id under which the account's record keeps how the login ended. */
  readonly loginId: string
}

export interface ApprovalOrder {
  readonly account: AccountId
}

export interface WebhookOrder {
  readonly account: AccountId
  /** The posted body, parsed; it may be anything. */
  readonly body: unknown
}

/**
 * Begins and ends logins: in this process, or in the broker's function on AWS, which alone may read the
 * broker's secrets. Foreseen errors are returned as a {@link Refusal}.
 */
export interface LoginService {
  /** Opens a login. Nothing is sent to the broker yet. */
  start(order: StartOrder): Promise<Started | Refusal>
  /**
   * Exchanges the code, exactly once however often the callback comes; then proves, saves and publishes the
   * token.
   */
  finish(order: FinishOrder): Promise<Finished | Refusal>
  /** Has the broker ask the account holder in its app. */
  requestApproval(order: ApprovalOrder): Promise<{ readonly asked: true } | Refusal>
  /** Takes a post to the webhook. The caller must not tell the poster how it ended, errors included. */
  acceptApproval(order: WebhookOrder): Promise<void>
}
