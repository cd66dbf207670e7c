// The one file we need of it: the package's entry also loads what signs and verifies, which costs a cold start 6 ms.
import decode from 'jsonwebtoken/decode.js'
import { Temporal } from 'temporal-polyfill'
import type { Secret } from './secret.ts'

/** Outside these a date is a unit mix-up or an overflow, not an expiry. */
const EARLIEST_PLAUSIBLE_S = 946_684_800 // 2000-01-01
const LATEST_PLAUSIBLE_S = 4_102_444_800 // 2100-01-01

/**
 * The claims of a JWT, only decoded: a broker signs with a key of its own (HS256), so the signature proves
 * nothing to us and the live call does. `undefined` when the token is no JWT. Claims can hold secrets
 * (FYERS' `hsm_key`): pick what you need, never log them.
 */
export function jwtClaims(token: Secret): Readonly<Record<string, unknown>> | undefined {
  const claims = decode(token.reveal())
  return typeof claims === 'object' && claims !== null ? claims : undefined
}

/** The token's `exp` (epoch seconds, RFC 7519 section 4.1.4); `undefined` when absent or implausible. */
export function jwtExpiry(token: Secret): Temporal.Instant | undefined {
  const exp = jwtClaims(token)?.['exp']
  if (typeof exp !== 'number' || !(exp >= EARLIEST_PLAUSIBLE_S && exp <= LATEST_PLAUSIBLE_S)) return undefined
  return Temporal.Instant.fromEpochMilliseconds(Math.trunc(exp) * 1000)
}
