// Only this file of the package is loaded: its entry also loads what signs and verifies, which costs a cold
// start 6 ms.
import decode from 'jsonwebtoken/decode.js'
import { Temporal } from 'temporal-polyfill'
import type { Secret } from '../secrets/secret.ts'

/** A date outside these bounds is a mistaken unit or an overflow, and not an expiry. */
const EARLIEST_PLAUSIBLE_S = 946_684_800 // 2000-01-01
const LATEST_PLAUSIBLE_S = 4_102_444_800 // 2100-01-01
/**
 * Tells seconds from milliseconds: seconds stay below it until the year 5138, milliseconds have been above it
 * since 1973.
 */
const SMALLEST_MILLISECONDS = 100_000_000_000
/** The base64url of `{"`, which the header of every JWT begins with. */
const LOOKS_LIKE_JWT = /^eyJ/

/**
 * The claims of a JWT, decoded but not verified: a broker signs with its own key (HS256), so only the live
 * call proves a token. `undefined` where the token is no JWT. Claims can hold secrets (FYERS' `hsm_key`):
 * pick what you need, and never log them.
 */
export function jwtClaims(token: Secret): Readonly<Record<string, unknown>> | undefined {
  const claims = decoded(token) as Readonly<Record<string, unknown>> | null | undefined
  return typeof claims === 'object' && claims !== null ? claims : undefined
}

/**
 * Whether a token looks like a JWT but cannot be read as one, since it was cut off or changed when it was
 * copied.
 */
export function isBrokenJwt(token: Secret): boolean {
  return LOOKS_LIKE_JWT.test(token.reveal()) && jwtClaims(token) === undefined
}

/** The decoder throws errors of its parser where the content is no JSON. */
function decoded(token: Secret): unknown {
  try {
    return decode(token.reveal())
  } catch {
    return undefined
  }
}

/**
 * The token's `exp` (epoch seconds, RFC 7519 section 4.1.4); `undefined` where it is absent or implausible.
 */
export function jwtExpiry(token: Secret): Temporal.Instant | undefined {
  const claim = jwtClaims(token)?.['exp']
  // Some issuers write it as text, some in milliseconds.
  const count = typeof claim === 'string' && /^\d+(\.\d+)?$/.test(claim) ? Number(claim) : claim
  if (typeof count !== 'number') return undefined
  const exp = count < SMALLEST_MILLISECONDS ? count : count / 1000
  if (!(exp >= EARLIEST_PLAUSIBLE_S && exp <= LATEST_PLAUSIBLE_S)) return undefined
  return Temporal.Instant.fromEpochMilliseconds(Math.trunc(exp) * 1000)
}
