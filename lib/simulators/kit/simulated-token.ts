import jsonwebtoken from 'jsonwebtoken'
import type { Temporal } from 'temporal-polyfill'

/** Signs simulated tokens; invented, and of no use anywhere else. */
const SIMULATED_KEY = 'a-simulator-signs-with-this-and-nobody-else-does'

let serial = 0

/** A token that no other call gives, HS256 like the brokers' own. Times are whole epoch seconds. */
export function simulatedJwt(
  claims: Readonly<Record<string, unknown>>,
  times: { readonly issuedAt: Temporal.Instant; readonly expiresAt?: Temporal.Instant },
): string {
  const seconds = (instant: Temporal.Instant): number => Math.floor(instant.epochMilliseconds / 1000)
  serial += 1
  return jsonwebtoken.sign(
    {
      ...claims,
      serial,
      iat: seconds(times.issuedAt),
      ...(times.expiresAt && { exp: seconds(times.expiresAt) }),
    },
    SIMULATED_KEY,
    { algorithm: 'HS256' },
  )
}
