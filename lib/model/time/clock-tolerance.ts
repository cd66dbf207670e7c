import type { Temporal } from 'temporal-polyfill'
import { isAfter } from './instants.ts'

/** How many seconds the clocks of several machines, and of a broker, may differ. */
export const CLOCK_TOLERANCE_SECONDS = 120

/**
 * Whether an instant that was recorded as past lies so far in the future that a clock that was ahead must
 * have written it.
 */
export function isFromTheFuture(instant: Temporal.Instant, now: Temporal.Instant): boolean {
  return isAfter(instant, now.add({ seconds: CLOCK_TOLERANCE_SECONDS }))
}
