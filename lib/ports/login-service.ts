import type { AccountId } from '../model/account-id.ts'
import type { ErrorCode } from '../model/errors.ts'

/** The browser a login is bound to: the SHA-256 of its cookie, or the command line. */
export type BrowserBinding = string
/** Logins begun at the command line end there: no cookie's hash reads like this. */
export const COMMAND_LINE: BrowserBinding = 'cli'

/** Nothing was changed, and why. */
export interface Refusal {
  readonly refused: true
  readonly code: ErrorCode | 'unknown_state' | 'state_expired' | 'other_browser'
  readonly reason: string
  readonly fix: string
}

export interface StartOrder {
  readonly account: AccountId
  readonly browser: BrowserBinding
  /** Where the site of whoever starts can be called back; the account's stored redirect_uri counts more. */
  readonly callbackUrl: string | undefined
}

export interface Started {
  readonly authorizationUrl: string
  /** Where the broker will send the browser. */
  readonly redirectUri: string
  readonly loginId: string
}

/** A redirect that came back, or a code somebody copied by hand. */
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

export interface Finished {
  readonly account: AccountId
  /** Under it the account's record keeps how the login ended. */
  readonly loginId: string
}

export interface ApprovalOrder {
  readonly account: AccountId
}

export interface WebhookOrder {
  readonly account: AccountId
  /** As it was posted, parsed; anything at all. */
  readonly body: unknown
}

/**
 * Where logins begin and end: here in this process, or in the broker's function on AWS, which alone may read the
 * broker's secrets. Whatever goes wrong in a foreseen way is a value.
 */
export interface LoginService {
  /** Opens a login: nothing is sent to the broker yet. */
  start(order: StartOrder): Promise<Started | Refusal>
  /** Exchanges the code, exactly once whatever is reloaded or repeated; proves, saves, publishes. */
  finish(order: FinishOrder): Promise<Finished | Refusal>
  /** Asks the account holder in the broker's app. */
  requestApproval(order: ApprovalOrder): Promise<{ readonly asked: true } | Refusal>
  /** Looks at what was posted to the webhook. Tells the poster nothing. */
  acceptApproval(order: WebhookOrder): Promise<void>
}
