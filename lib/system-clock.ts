import { Temporal } from 'temporal-polyfill'
import type { Clock } from './ports/clock.ts'

/** The host's clock; the one place where it is read. */
export const systemClock: Clock = {
  now: () => Temporal.Now.instant(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds))),
}

/** The host's clock moved to start at `start`, so that a day can be rehearsed; it runs on from there. */
export function clockStartingAt(start: Temporal.Instant): Clock {
  const offset = Temporal.Now.instant().until(start)
  return { now: () => Temporal.Now.instant().add(offset), sleep: systemClock.sleep }
}
