// The one file we need of it: the package's entry also loads what signs and verifies, which costs a cold start 6 ms.
import decode from 'jsonwebtoken/decode.js'
import { Temporal } from 'temporal-polyfill'
import type { Secret } from '../secret.ts'

/** Outside these a date is a unit mix-up or an overflow, not an expiry. */
const EARLIEST_PLAUSIBLE_S = 946_684_800 // 2000-01-01
const LATEST_PLAUSIBLE_S = 4_102_444_800 // 2100-01-01
/** Seconds stay below this until the year 5138, milliseconds have been above it since 1973. */
const SMALLEST_MILLISECONDS = 100_000_000_000
/** The base64url of `{"`, which the header of every JWT begins with. */
const LOOKS_LIKE_JWT = /^eyJ/

/**
 * The claims of a JWT, only decoded: a broker signs with a key of its own (HS256), so the signature proves
 * nothing to us and the live call does. `undefined` when the token is no JWT. Claims can hold secrets
 * (FYERS' `hsm_key`): pick what you need, never log them.
 */
export function jwtClaims(token: Secret): Readonly<Record<string, unknown>> | undefined {
  const claims = decoded(token) as Readonly<Record<string, unknown>> | null | undefined
  return typeof claims === 'object' && claims !== null ? claims : undefined
}

/** Whether it looks like a JWT and cannot be read as one: cut off, or changed by whoever copied it. */
export function isBrokenJwt(token: Secret): boolean {
  return LOOKS_LIKE_JWT.test(token.reveal()) && jwtClaims(token) === undefined
}

/** The decoder throws its parser's own errors for what is no JSON inside. */
function decoded(token: Secret): unknown {
  try {
    return decode(token.reveal())
  } catch {
    return undefined
  }
}

/** The token's `exp` (epoch seconds, RFC 7519 section 4.1.4); `undefined` when absent or implausible. */
export function jwtExpiry(token: Secret): Temporal.Instant | undefined {
  const claim = jwtClaims(token)?.['exp']
  // Some issuers write it as text, some in milliseconds.
  const count = typeof claim === 'string' && /^\d+(\.\d+)?$/.test(claim) ? Number(claim) : claim
  if (typeof count !== 'number') return undefined
  const exp = count < SMALLEST_MILLISECONDS ? count : count / 1000
  if (!(exp >= EARLIEST_PLAUSIBLE_S && exp <= LATEST_PLAUSIBLE_S)) return undefined
  return Temporal.Instant.fromEpochMilliseconds(Math.trunc(exp) * 1000)
}
