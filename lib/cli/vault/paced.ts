import { isAfter } from '../../model/time/instants.ts'
import type { Clock } from '../../ports/clock.ts'

/** Lets callers through one by one, so many a second, however many wait. */
export function paced(perSecond: number, clock: Pick<Clock, 'now' | 'sleep'>): () => Promise<void> {
  const milliseconds = Math.ceil(1_000 / perSecond)
  let next = clock.now()
  return async () => {
    const now = clock.now()
    const turn = isAfter(next, now) ? next : now
    next = turn.add({ milliseconds })
    const waitMs = now.until(turn).total('milliseconds')
    if (waitMs > 0) await clock.sleep(waitMs)
  }
}
