import { Temporal } from 'temporal-polyfill'

type Instant = Temporal.Instant

export function isAfter(a: Instant, b: Instant): boolean {
  return Temporal.Instant.compare(a, b) > 0
}

export function isBefore(a: Instant, b: Instant): boolean {
  return Temporal.Instant.compare(a, b) < 0
}

export function earlier(a: Instant, b: Instant): Instant {
  return isBefore(a, b) ? a : b
}

export function later(a: Instant, b: Instant): Instant {
  return isAfter(a, b) ? a : b
}
