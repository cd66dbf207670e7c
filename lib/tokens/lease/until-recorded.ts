import type { Temporal } from 'temporal-polyfill'
import { StateStoreError } from '../../model/errors.ts'
import { isBefore } from '../../model/time/instants.ts'
import type { Clock } from '../../ports/clock.ts'

const PAUSE_MS = 1_000

/**
 * Repeats a write of the state record while the store has a passing fault: work that is not recorded would be
 * repeated by the next run, and a lease that is not given back keeps all others out. Throws the last
 * StateStoreError once `end` is near, and any other error at once.
 */
export async function untilRecorded<T>(
  write: () => Promise<T>,
  end: Temporal.Instant,
  clock: Clock,
): Promise<T> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      const resumesAt = clock.now().add({ milliseconds: PAUSE_MS })
      if (!(error instanceof StateStoreError) || !isBefore(resumesAt, end)) throw error
      await clock.sleep(PAUSE_MS)
    }
  }
}
