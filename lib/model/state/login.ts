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
  /** The code never left us, and may be handed in again. */
  unsent: optional(yes),
})
/** How a login ended, for the receipt. */
export interface LoginResult extends ValueOf<typeof LoginResult> {}

export const LoginAttempt = part({
  /** The SHA-256 of its state, in base64url: the state itself is known to the browser and the broker only. */
  id: text,
  /** The browser it is bound to. */
  browser: text,
  startedAt: instant,
  openUntil: instant,
  redirectUri: text,
  /** When a callback took it; no second one can. */
  usedAt: optional(instant),
  result: optional(LoginResult),
})
/** One login a person has begun. */
export interface LoginAttempt extends ValueOf<typeof LoginAttempt> {}

/** Logins by a person, and when another one may be. */
export const LOGIN_FIELDS = {
  /** When a person last consented; a refresh never moves it. */
  authorizedAt: optional(instant),
  /** Logins begun of late, oldest first. */
  logins: optional(list(LoginAttempt)),
  /** Authorization codes exchanged in the last day, oldest first. */
  exchanges: optional(list(instant)),
  /** When the broker's login may be used again: a throttled grant says nothing about it. */
  loginNotBefore: optional(instant),
  loginNotBeforeSetAt: optional(instant),
}
