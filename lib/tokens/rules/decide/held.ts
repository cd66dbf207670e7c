import type { Temporal } from 'temporal-polyfill'
import type { AccountState } from '../../../model/account-state.ts'
import { CLOCK_TOLERANCE_SECONDS, isFromTheFuture } from '../../../model/time/clock-tolerance.ts'
import { isBefore } from '../../../model/time/instants.ts'

type HeldLease = NonNullable<AccountState['lease']>

/** No lease is taken for longer. A lease that ends later was written by a clock that was ahead. */
const LONGEST_LEASE_HOURS = 1

/**
 * When a lease is over for everybody else. Its holder works until `until` by its own clock, which may be
 * behind ours, so the clock tolerance is added. Leases written by earlier versions have no `takenAt` and end
 * at `until`.
 */
export function heldUntil(lease: HeldLease): Temporal.Instant {
  const { takenAt, until } = lease
  if (!takenAt) return until
  const longest = takenAt.add({ hours: LONGEST_LEASE_HOURS })
  const end = isBefore(until, longest) ? until : longest
  return end.add({ seconds: CLOCK_TOLERANCE_SECONDS })
}

/**
 * Whether somebody still holds a lease. One taken in the future by our clock, which only a wrong clock can
 * write, is not held.
 */
export function isHeld(lease: HeldLease, now: Temporal.Instant): boolean {
  const { takenAt = lease.until.subtract({ hours: LONGEST_LEASE_HOURS }) } = lease
  return !isFromTheFuture(takenAt, now) && isBefore(now, heldUntil(lease))
}
