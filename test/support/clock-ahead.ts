import type { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../lib/ports/clock.ts'

/** A clock that goes as this one does and is wrong by `by`: ahead, or behind where that is negative. */
export function clockAhead(clock: Clock, by: Temporal.DurationLike): Clock {
  return {
    now: () => clock.now().add(by),
    sleep: (milliseconds) => clock.sleep(milliseconds),
  }
}
