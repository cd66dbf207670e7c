import type { Temporal } from 'temporal-polyfill'
import { isFromTheFuture } from '../../model/time/clock-tolerance.ts'
import { earlier, later } from '../../model/time/instants.ts'
import type { Ports } from '../../ports/ports.ts'

/** Runs `work` for each item of a stream, at most `limit` at a time, and reads no further ahead. */
export async function eachOf<T>(
  stream: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  try {
    for await (const item of stream) {
      const task: Promise<void> = work(item).finally(() => running.delete(task))
      running.add(task)
      if (running.size >= limit) await Promise.race(running)
    }
    await Promise.all(running)
  } finally {
    // When the stream fails, work in flight is still awaited: Lambda freezes a process whose handler has
    // returned, and a rotated refresh token that arrives then is lost (I1).
    await Promise.allSettled(running)
  }
}

/**
 * Returns a function that waits until the next start, `seconds` apart. Nobody waits past `lastStart`, after
 * which no start is allowed.
 */
export function pacer(seconds: number, lastStart: Temporal.Instant, { clock }: Ports): () => Promise<void> {
  let next = clock.now()
  let last = next
  return async () => {
    const now = clock.now()
    // Our clock was set back, so the time of the next start no longer means anything.
    const start = isFromTheFuture(last, now) ? now : later(next, now)
    last = now
    next = start.add({ milliseconds: Math.round(seconds * 1000) })
    const waitMs = clock.now().until(earlier(start, lastStart)).total('milliseconds')
    if (waitMs > 0) await clock.sleep(waitMs)
  }
}
