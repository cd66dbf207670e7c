import type { Temporal } from 'temporal-polyfill'
import {
  easterSunday,
  isWeekday,
  lastMonday,
  MONDAY,
  nth,
  on,
  SUNDAY,
  THURSDAY,
  weekdayUpTo,
} from './date-rules.ts'
import type { SpecialDay, SpecialDays } from './special-day.ts'

export const NEW_YORK_HOURS = { opens: '09:30', closes: '16:00' }
const EARLY = { opens: '09:30', closes: '13:00' }

/** The days of NYSE and Nasdaq by the exchanges' own rules (NYSE Rule 7.2), the same since Juneteenth came in 2022. */
export function newYorkDays(year: number): SpecialDays {
  const thanksgiving = nth(4, THURSDAY, year, 11)
  const newYear = on(year, 1, 1)
  const closed: readonly (readonly [Temporal.PlainDate, string])[] = [
    // On a Saturday it is not made up for: that Friday ends the year.
    [newYear.dayOfWeek === SUNDAY ? on(year, 1, 2) : newYear, 'New Year'],
    [nth(3, MONDAY, year, 1), 'Martin Luther King Jr. Day'],
    [nth(3, MONDAY, year, 2), 'Washington’s Birthday'],
    [easterSunday(year).subtract({ days: 2 }), 'Good Friday'],
    [lastMonday(year, 5), 'Memorial Day'],
    [observed(on(year, 6, 19)), 'Juneteenth'],
    [observed(on(year, 7, 4)), 'Independence Day'],
    [nth(1, MONDAY, year, 9), 'Labor Day'],
    [thanksgiving, 'Thanksgiving'],
    [observed(on(year, 12, 25)), 'Christmas'],
  ]
  const early: readonly (readonly [Temporal.PlainDate, string])[] = [
    [on(year, 7, 3), 'the day before Independence Day'],
    [thanksgiving.add({ days: 1 }), 'the day after Thanksgiving'],
    [on(year, 12, 24), 'Christmas Eve'],
  ]
  return new Map<string, SpecialDay>([
    // Where the eve is a Friday, the holiday itself is observed on it, below.
    ...early
      .filter(([date]) => isWeekday(date))
      .map(([date, why]) => [date.toString(), { why, hours: EARLY }] as const),
    ...closed
      .filter(([date]) => isWeekday(date))
      .map(([date, why]) => [date.toString(), { why, hours: 'closed' }] as const),
  ])
}

/** On a Saturday the Friday before, on a Sunday the Monday after. */
function observed(date: Temporal.PlainDate): Temporal.PlainDate {
  return date.dayOfWeek === SUNDAY ? date.add({ days: 1 }) : weekdayUpTo(date)
}
