import { Temporal } from 'temporal-polyfill'

type Instant = Temporal.Instant

/** Whether `a` is later than `b`; false where they are equal. */
export function isAfter(a: Instant, b: Instant): boolean {
  return Temporal.Instant.compare(a, b) > 0
}

/** Whether `a` is earlier than `b`; false where they are equal. */
export function isBefore(a: Instant, b: Instant): boolean {
  return Temporal.Instant.compare(a, b) < 0
}

/** The earlier of two instants. */
export function earlier(a: Instant, b: Instant): Instant {
  return isBefore(a, b) ? a : b
}

/** The later of two instants. */
export function later(a: Instant, b: Instant): Instant {
  return isAfter(a, b) ? a : b
}
