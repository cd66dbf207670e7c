import type { Temporal } from 'temporal-polyfill'
import { isAfter } from './instants.ts'

/** Clocks of several machines, and of a broker, may differ by this much. */
export const CLOCK_TOLERANCE_SECONDS = 120

/** Whether only a clock that was ahead can have written this down as past. */
export function isFromTheFuture(instant: Temporal.Instant, now: Temporal.Instant): boolean {
  return isAfter(instant, now.add({ seconds: CLOCK_TOLERANCE_SECONDS }))
}
