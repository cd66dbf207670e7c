import type { Temporal } from 'temporal-polyfill'
import type { AccessTokenRecord } from '../../../model/account-state.ts'
import { isAfter } from '../../../model/time/instants.ts'

/**
 * For this many seconds a proof is believed, even when a consumer reports a refusal: brokers allow one probe
 * a minute.
 */
const PROOF_HOLDS_SECONDS = 60

/**
 * Whether a token was proven within the last minute, so that the broker need not be asked again. A proof in
 * the future was noted by a wrong clock and does not count. Pure.
 */
export function isProvenNow(
  { provenAt }: Pick<AccessTokenRecord, 'provenAt'>,
  now: Temporal.Instant,
): boolean {
  return !isAfter(provenAt, now) && !isAfter(now.subtract({ seconds: PROOF_HOLDS_SECONDS }), provenAt)
}
