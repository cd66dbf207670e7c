import { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../ports/clock.ts'

/** A clock that stands still until it is moved; sleeping moves it at once. */
export class VirtualClock implements Clock {
  #now: Temporal.Instant

  /** `start` is ISO 8601 with an offset. */
  constructor(start: string) {
    this.#now = Temporal.Instant.from(start)
  }

  now(): Temporal.Instant {
    return this.#now
  }

  async sleep(milliseconds: number): Promise<void> {
    this.advance({ milliseconds: Math.max(0, Math.ceil(milliseconds)) })
  }

  advance(duration: Temporal.DurationLike): void {
    this.#now = this.#now.add(duration)
  }

  set(instant: string): void {
    this.#now = Temporal.Instant.from(instant)
  }
}
