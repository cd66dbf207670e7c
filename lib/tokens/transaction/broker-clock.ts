import type { Temporal } from 'temporal-polyfill'
import { isAfter } from '../../model/time/instants.ts'

/** The Date header has whole seconds: it was written within the second that follows. */
const DATE_RESOLUTION_MS = 1_000
/** Unmeasured, the broker's clock is taken to be ours, give or take this much. */
const UNMEASURED_MS = 2_000
/** However well measured: a broker's hosts need not agree with each other. */
const LEAST_UNCERTAIN_MS = 500
/** A slow reply says little of when it was written; the middle is the best guess, give or take this much. */
const MOST_UNCERTAIN_MS = 5_000

/** When a request was sent and its reply had arrived, by our clock. */
export interface Exchange {
  readonly sentAt: Temporal.Instant
  readonly repliedAt: Temporal.Instant
}

/** How far, in milliseconds, the broker's clock may be ahead of ours: at least and at most. */
interface Drift {
  readonly least: number
  readonly most: number
}

/**
 * What the broker's clock shows, as far as the Date headers of its replies tell. Each reading leaves a second and the
 * reply's travel open; together they leave less.
 */
export class BrokerClock {
  #drift: Drift | undefined

  /** Takes a reading; a reply without a Date header, and one during which our clock was set back, is none. */
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
    // Readings that contradict each other are of two clocks, or ours was set: the newest counts.
    this.#drift = both && both.least <= both.most ? both : reading
  }

  /** Milliseconds the broker's clock is ahead of ours, most likely; `undefined` before the first reading. */
  get driftMs(): number | undefined {
    return this.#drift && Math.round((this.#drift.least + this.#drift.most) / 2)
  }

  /** The earliest and the latest, in epoch milliseconds, that the broker's clock may show when ours shows `now`. */
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
