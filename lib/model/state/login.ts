import type { ErrorCode } from '../errors.ts'
import { instant, list, openName, optional, part, text, type ValueOf, yes, yesOrNo } from './fields.ts'

const LoginResult = part({
  success: yesOrNo,
  at: instant,
  code: optional(openName<ErrorCode>()),
  reason: text,
  fix: optional(text),
  /** The login worked and its token is kept: the next run proves and publishes it. */
  kept: optional(yes),
  /** The code was not sent to the broker, and may be handed in again. */
  unsent: optional(yes),
})
/** How a login ended, for the receipt. */
export interface LoginResult extends ValueOf<typeof LoginResult> {}

export const LoginAttempt = part({
  /**
   * The SHA-256 of the login's state, in base64url; only the browser and the broker know the state itself.
   */
  id: text,
  /** The browser the login is bound to (BrowserBinding in lib/ports/login-service.ts). */
  browser: text,
  startedAt: instant,
  openUntil: instant,
  redirectUri: text,
  /** When a callback used the login; a second one cannot. */
  usedAt: optional(instant),
  result: optional(LoginResult),
})
/** One login a person has begun. */
export interface LoginAttempt extends ValueOf<typeof LoginAttempt> {}

/** Logins by a person, and when the next one is allowed. */
export const LOGIN_FIELDS = {
  /** When a person last gave consent at the broker; a refresh never moves it. */
  authorizedAt: optional(instant),
  /** The latest logins, oldest first. */
  logins: optional(list(LoginAttempt)),
  /** Authorization codes exchanged in the last day, oldest first. */
  exchanges: optional(list(instant)),
  /**
   * When the broker's login may be used again; set by what the broker said of logins, not by a throttled
   * grant.
   */
  loginNotBefore: optional(instant),
  loginNotBeforeSetAt: optional(instant),
}
