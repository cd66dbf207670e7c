import type { Temporal } from 'temporal-polyfill'
import { BrokerUnavailableError } from './errors.ts'
import { isBefore } from './time/instants.ts'

const PAUSES_MS = [500, 2_000, 5_000]
/** For a token somebody has logged in for. */
export const PATIENT = [...PAUSES_MS, 10_000]
export const ONCE: readonly number[] = []

/** What waits, and until when: a broker's context is one. */
interface Patience {
  readonly clock: { now(): Temporal.Instant; sleep(milliseconds: number): Promise<void> }
  readonly deadline: Temporal.Instant
}

/**
 * A read, which is free to repeat, until it gives a verdict: passing faults are tried again after
 * each of the pauses, and never past the deadline. Throws what the last try throws.
 */
export async function repeatRead<T>(
  context: Patience,
  read: () => Promise<T>,
  pausesMs: readonly number[] = PAUSES_MS,
): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await read()
    } catch (error) {
      const resumesAt = context.clock.now().add({ milliseconds: pauseMs })
      const passing = error instanceof BrokerUnavailableError
      if (!passing || !isBefore(resumesAt, context.deadline)) throw error
      await context.clock.sleep(pauseMs)
    }
  }
  return read()
}
