import type { Temporal } from 'temporal-polyfill'
import type { Hours, SpecialDays } from './special-day.ts'

/** What is known of a market's days and hours. Dates and times are on its own clocks. */
export interface Market {
  readonly timeZone: string
  usual(date: Temporal.PlainDate): Hours
  specialDays(year: number): SpecialDays
  /** From then on each weekday counts as open. @default - the days go by rules that do not end */
  readonly knownUntil?: string
  sourceOf(year: number): DaySource | undefined
}

/** Where the days of a year are from. */
interface DaySource {
  readonly source: string
  /** When they were last compared with it. */
  readonly checked: string
}
