import type { Temporal } from 'temporal-polyfill'

/** The only way to the time of day. Simulations and tests move it; nothing else reads the host clock. */
export interface Clock {
  now(): Temporal.Instant
  /** Resolves after `milliseconds` of this clock's time. */
  sleep(milliseconds: number): Promise<void>
}
