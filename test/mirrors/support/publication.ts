import { Temporal } from 'temporal-polyfill'
import { brokerOf, parseAccountId } from '../../../lib/model/account-id.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { Publication } from '../../../lib/ports/subscriber.ts'

/** 08:00 IST, when Upstox's tokens are renewed. */
export const ISSUED = '2026-09-14T08:00:00+05:30'
/** 70 200 seconds later, when Upstox's tokens die. */
export const EXPIRES = '2026-09-15T03:30:00+05:30'

/** A token as it is told to mirrors: its text has account and generation in it. */
export function publication(
  id: string,
  generation = 1,
  { issuedAt = ISSUED, expiresAt = EXPIRES }: { issuedAt?: string; expiresAt?: string } = {},
): Publication {
  const account = parseAccountId(id)
  const issued = Temporal.Instant.from(issuedAt).add({ seconds: generation - 1 })
  return {
    account,
    broker: brokerOf(account),
    timeZone: 'Asia/Kolkata',
    generation,
    issuedAt: issued,
    expiresAt: Temporal.Instant.from(expiresAt),
    provenAt: issued.add({ seconds: 3 }),
    source: 'upstream',
    accessToken: tokenOf(id, generation),
  }
}

export function tokenOf(id: string, generation = 1): Secret {
  return new Secret(`sim.access.${id}.${generation}.jwt`)
}
