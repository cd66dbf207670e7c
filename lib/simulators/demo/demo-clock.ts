import type { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../ports/clock.ts'

/** A pause of simulated time is seen for at most this long. */
const LONGEST_VISIBLE_PAUSE_MS = 300

/**
 * A clock for watching days go by: it runs `speed` times as fast as the real one, but at the real pace while a run
 * is under way or a person is at something, so that time limits and one-time codes mean to the brokers what they mean
 * in life. A sleep in a run skips the time.
 */
export class DemoClock implements Clock {
  readonly #real: Clock
  readonly #speed: number
  #at: { readonly real: Temporal.Instant; readonly simulated: Temporal.Instant }
  #runs = 0
  #heldUntil: Temporal.Instant

  constructor(start: Temporal.Instant, speed: number, real: Clock) {
    this.#real = real
    this.#speed = speed
    this.#at = { real: real.now(), simulated: start }
    this.#heldUntil = this.#at.real
  }

  now(): Temporal.Instant {
    const passedMs = msBetween(this.#at.real, this.#real.now())
    const slowMs = this.#runs > 0 ? passedMs : Math.min(passedMs, msBetween(this.#at.real, this.#heldUntil))
    const fastMs = (passedMs - slowMs) * this.#speed
    return this.#at.simulated.add({ milliseconds: Math.round(slowMs + fastMs) })
  }

  /** Whether it runs at the real pace for a person's sake. */
  get held(): boolean {
    return msBetween(this.#real.now(), this.#heldUntil) > 0
  }

  async sleep(milliseconds: number): Promise<void> {
    const skipped = Math.max(0, Math.ceil(milliseconds))
    await this.#real.sleep(Math.min(skipped / this.#speed, LONGEST_VISIBLE_PAUSE_MS))
    this.#moveTo(this.now().add({ milliseconds: skipped }))
  }

  /** Does something at the real pace. */
  async during(run: () => Promise<void>): Promise<void> {
    this.#moveTo(this.now())
    this.#runs += 1
    try {
      await run()
    } finally {
      this.#moveTo(this.now())
      this.#runs -= 1
    }
  }

  /** Runs at the real pace for so many seconds of real time from now; a later call sets the end anew. */
  hold(seconds: number): void {
    this.#moveTo(this.now())
    this.#heldUntil = this.#at.real.add({ milliseconds: Math.round(seconds * 1000) })
  }

  #moveTo(simulated: Temporal.Instant): void {
    this.#at = { real: this.#real.now(), simulated }
  }
}

/** Milliseconds from one instant to a later one; none to an earlier one. */
function msBetween(from: Temporal.Instant, to: Temporal.Instant): number {
  return Math.max(0, from.until(to).total('milliseconds'))
}
