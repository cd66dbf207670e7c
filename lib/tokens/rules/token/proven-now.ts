import type { Temporal } from 'temporal-polyfill'
import type { AccessTokenRecord } from '../../../model/account-state.ts'
import { isAfter } from '../../../model/time/instants.ts'

/** A proof is believed this long whatever a consumer met: brokers allow one probe a minute. */
const PROOF_HOLDS_SECONDS = 60

/**
 * Proven so short a time ago that the broker need not be asked again. A proof from the future does not say when it was
 * taken: it holds for nobody, and the next one is ours.
 */
export function isProvenNow(
  { provenAt }: Pick<AccessTokenRecord, 'provenAt'>,
  now: Temporal.Instant,
): boolean {
  return !isAfter(provenAt, now) && !isAfter(now.subtract({ seconds: PROOF_HOLDS_SECONDS }), provenAt)
}
