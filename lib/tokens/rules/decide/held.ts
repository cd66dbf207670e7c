import type { Temporal } from 'temporal-polyfill'
import type { AccountState } from '../../../model/account-state.ts'
import { CLOCK_TOLERANCE_SECONDS, isFromTheFuture } from '../../../model/time/clock-tolerance.ts'
import { isBefore } from '../../../model/time/instants.ts'

type HeldLease = NonNullable<AccountState['lease']>

/** No process lives as long: what a lease says beyond was said by a clock that was ahead. */
const LONGEST_LEASE_HOURS = 1

/**
 * From when on a lease is nobody's. Its holder works until `until` by its own clock, which may be behind ours: the clock
 * tolerance comes on top, though not for leases of earlier versions, which do not say when they were taken.
 */
export function heldUntil(lease: HeldLease): Temporal.Instant {
  const { takenAt, until } = lease
  if (!takenAt) return until
  const longest = takenAt.add({ hours: LONGEST_LEASE_HOURS })
  const end = isBefore(until, longest) ? until : longest
  return end.add({ seconds: CLOCK_TOLERANCE_SECONDS })
}

/** Whether a lease is still somebody's. */
export function isHeld(lease: HeldLease, now: Temporal.Instant): boolean {
  const { takenAt = lease.until.subtract({ hours: LONGEST_LEASE_HOURS }) } = lease
  return !isFromTheFuture(takenAt, now) && isBefore(now, heldUntil(lease))
}
