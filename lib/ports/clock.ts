import type { Temporal } from 'temporal-polyfill'

/**
 * The only source of the time of day; nothing else reads the host's clock, so that simulations and tests can
 * set it.
 */
export interface Clock {
  now(): Temporal.Instant
  /** Resolves after `milliseconds` of this clock's time. */
  sleep(milliseconds: number): Promise<void>
}
