import { Temporal } from 'temporal-polyfill'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Publication } from '../../lib/ports/subscriber.ts'

/** What a refresh has published. */
export const PUBLICATION: Publication = {
  account: parseAccountId('fyers/papa'),
  broker: 'fyers',
  timeZone: 'Asia/Kolkata',
  generation: 7,
  issuedAt: Temporal.Instant.from('2026-11-23T07:00:00.25+05:30'),
  expiresAt: Temporal.Instant.from('2026-11-24T06:00:00+05:30'),
  provenAt: Temporal.Instant.from('2026-11-23T07:00:01+05:30'),
  source: 'refresh_token',
  accessToken: new Secret('CANARY-PUBLISHED-ACCESS-TOKEN'),
}
