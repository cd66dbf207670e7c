import type { MarketName } from './market-name.ts'

/** A day on which a market does not trade, or trades at another time, as the owner of an installation has said. */
export interface ChangedDay {
  readonly market: MarketName
  /** YYYY-MM-DD on the market's own calendar. */
  readonly date: string
  /** Told to whoever lists the days. */
  readonly why?: string | undefined
}

export interface ChangedSession extends ChangedDay {
  /** Wall-clock HH:MM on the market's own clocks; a close that is not after the open is on the next day. */
  readonly opens: string
  readonly closes: string
}

/** What the owner has said of single days. It counts more than what a release knows; of one day the last word counts. */
export interface MarketDays {
  readonly closed: readonly ChangedDay[]
  readonly sessions: readonly ChangedSession[]
}

export const NO_CHANGES: MarketDays = { closed: [], sessions: [] }
