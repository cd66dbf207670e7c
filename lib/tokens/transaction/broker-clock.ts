import type { Temporal } from 'temporal-polyfill'
import { isAfter } from '../../model/time/instants.ts'

/** The Date header has whole seconds: the reply was written within the second that follows. */
const DATE_RESOLUTION_MS = 1_000
/** Before the first reading the broker's clock is taken to be ours, plus or minus this much. */
const UNMEASURED_MS = 2_000
/** The uncertainty is never taken to be less, since a broker's hosts need not agree with each other. */
const LEAST_UNCERTAIN_MS = 500
/**
 * A slow reply tells little about when it was written: the middle is taken, plus or minus this much at most.
 */
const MOST_UNCERTAIN_MS = 5_000

/** When a request was sent and its reply had arrived, by our clock. */
export interface Exchange {
  readonly sentAt: Temporal.Instant
  readonly repliedAt: Temporal.Instant
}

/** Bounds, in milliseconds, of how far the broker's clock is ahead of ours. */
interface Drift {
  readonly least: number
  readonly most: number
}

/**
 * What the broker's clock shows, worked out from the Date headers of its replies. One reading is uncertain by
 * a second and the time the reply travelled; several narrow that down.
 */
export class BrokerClock {
  #drift: Drift | undefined

  /**
   * Takes a reading. A reply without a Date header is left out, and so is one during which our clock was set
   * back.
   */
  read(date: string | undefined, { sentAt, repliedAt }: Exchange): void {
    const theirs = Date.parse(date ?? '')
    if (Number.isNaN(theirs) || isAfter(sentAt, repliedAt)) return
    const reading = narrowed({
      least: theirs - repliedAt.epochMilliseconds,
      most: theirs + DATE_RESOLUTION_MS - sentAt.epochMilliseconds,
    })
    const both = this.#drift && {
      least: Math.max(this.#drift.least, reading.least),
      most: Math.min(this.#drift.most, reading.most),
    }
    // Readings contradict each other where they are of two clocks, or ours was set: then the newest counts.
    this.#drift = both && both.least <= both.most ? both : reading
  }

  /**
   * Milliseconds that the broker's clock is most likely ahead of ours; `undefined` before the first reading.
   */
  get driftMs(): number | undefined {
    return this.#drift && Math.round((this.#drift.least + this.#drift.most) / 2)
  }

  /**
   * The earliest and the latest time, in epoch milliseconds, that the broker's clock may show when ours shows
   * `now`.
   */
  at(now: Temporal.Instant): { readonly earliestMs: number; readonly latestMs: number } {
    const { least, most } = this.#drift ?? { least: -UNMEASURED_MS, most: UNMEASURED_MS }
    const middleMs = now.epochMilliseconds + (least + most) / 2
    const uncertainMs = Math.max((most - least) / 2, LEAST_UNCERTAIN_MS)
    return { earliestMs: middleMs - uncertainMs, latestMs: middleMs + uncertainMs }
  }
}

function narrowed({ least, most }: Drift): Drift {
  const middle = (least + most) / 2
  return {
    least: Math.max(least, middle - MOST_UNCERTAIN_MS),
    most: Math.min(most, middle + MOST_UNCERTAIN_MS),
  }
}
