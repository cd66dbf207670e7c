import type { Temporal } from 'temporal-polyfill'

/** Seconds a one-time code is good for (RFC 6238 section 5.2). */
export const TOTP_STEP_S = 30

/** The number of the one-time-code step that an instant falls into (RFC 6238 section 4.2). */
export function totpStepOf(instant: Temporal.Instant): number {
  return Math.floor(instant.epochMilliseconds / 1000 / TOTP_STEP_S)
}
