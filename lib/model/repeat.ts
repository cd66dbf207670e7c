import type { Temporal } from 'temporal-polyfill'
import { BrokerUnavailableError } from './errors.ts'
import { isBefore } from './time/instants.ts'

const PAUSES_MS = [500, 2_000, 5_000]
/** Milliseconds between repeats for a token that a person has logged in for, which is worth more patience. */
export const PATIENT = [...PAUSES_MS, 10_000]
/** No pauses: a single try. */
export const ONCE: readonly number[] = []

/** The clock to wait by, and the deadline; a broker's context has both. */
interface Patience {
  readonly clock: { now(): Temporal.Instant; sleep(milliseconds: number): Promise<void> }
  readonly deadline: Temporal.Instant
}

/**
 * Repeats a read until it gives a verdict: after a BrokerUnavailableError it waits for the next of the pauses
 * and tries again, never past the deadline. Throws what the last try throws.
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
