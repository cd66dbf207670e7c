/** Wall-clock HH:MM on the market's own clocks. A close that is not after the open is on the next day. */
export interface Hours {
  readonly opens: string
  readonly closes: string
}

/** A day on which a market does not keep its usual hours, or trades although it is a weekend. */
export interface SpecialDay {
  readonly why: string
  /** When it trades; `closed` all day. */
  readonly hours: Hours | 'closed'
  /** Not announced by the exchange. Such a closure is listed and never acted on: a needless question is cheaper. */
  readonly provisional?: true
  /** The exchange has not said when; the hours are the widest it may choose. */
  readonly timeOpen?: true
}

/** By date, YYYY-MM-DD. */
export type SpecialDays = ReadonlyMap<string, SpecialDay>

/** Dates, each with what is celebrated or why. */
export type Occasions = Readonly<Record<string, string>>

/** A session at an unusual time or on a weekend; without hours the usual ones of each market. */
interface SpecialSession {
  readonly why: string
  readonly hours?: Hours
  readonly timeOpen?: true
  readonly provisional?: true
}

/** The days of one exchange in one year, as they were looked up. */
export interface YearTable {
  readonly source: string
  /** When the table was last compared with its source. */
  readonly checked: string
  readonly closed: Occasions
  /** Expected and not announced: listed, and taken for ordinary days. */
  readonly expected?: Occasions
  /** Half days of an exchange with two sessions. */
  readonly morningOnly?: Occasions
  readonly eveningOnly?: Occasions
  readonly sessions?: Readonly<Record<string, SpecialSession>>
}
