import * as z from 'zod/mini'
import type { ErrorCode } from '../errors.ts'
import { instant, openName, optional, part, type Stored } from './fields.ts'

const LoginResult = part({
  success: z.boolean(),
  at: instant,
  code: optional(openName<ErrorCode>()),
  reason: z.string(),
  fix: optional(z.string()),
  /** The login worked and its token is kept: the next run proves and publishes it. */
  kept: optional(z.literal(true)),
  /** The code never left us, and may be handed in again. */
  unsent: optional(z.literal(true)),
})
/** How a login ended, for the receipt. */
export interface LoginResult extends Stored<typeof LoginResult> {}

export const LoginAttempt = part({
  /** The SHA-256 of its state, in base64url: the state itself is known to the browser and the broker only. */
  id: z.string(),
  /** The browser it is bound to. */
  browser: z.string(),
  startedAt: instant,
  openUntil: instant,
  redirectUri: z.string(),
  /** When a callback took it; no second one can. */
  usedAt: optional(instant),
  result: optional(LoginResult),
})
/** One login a person has begun. */
export interface LoginAttempt extends Stored<typeof LoginAttempt> {}
