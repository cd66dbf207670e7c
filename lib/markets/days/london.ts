import { easterSunday, lastMonday, MONDAY, nth, on, weekdayFrom, weekdayUpTo } from './date-rules.ts'
import type { SpecialDay, SpecialDays } from './special-day.ts'

export const LONDON_HOURS = { opens: '08:00', closes: '16:30' }
const HALF = { opens: '08:00', closes: '12:30' }

/** The London Stock Exchange: the bank holidays of England, and half days at the end of the year. */
export function londonDays(year: number): SpecialDays {
  const easter = easterSunday(year)
  const christmas = weekdayFrom(on(year, 12, 25))
  const half = (day: number) => weekdayUpTo(on(year, 12, day)).toString()
  const closed = [
    [weekdayFrom(on(year, 1, 1)), 'New Year'],
    [easter.subtract({ days: 2 }), 'Good Friday'],
    [easter.add({ days: 1 }), 'Easter Monday'],
    [nth(1, MONDAY, year, 5), 'Early May Bank Holiday'],
    [lastMonday(year, 5), 'Spring Bank Holiday'],
    [lastMonday(year, 8), 'Summer Bank Holiday'],
    [christmas, 'Christmas'],
    // Both on a weekend are made up for on Monday and Tuesday.
    [weekdayFrom(christmas.add({ days: 1 })), 'Boxing Day'],
  ] as const
  return new Map<string, SpecialDay>([
    [half(24), { why: 'Christmas Eve', hours: HALF }],
    [half(31), { why: 'New Year’s Eve', hours: HALF }],
    ...closed.map(([date, why]) => [date.toString(), { why, hours: 'closed' }] as const),
  ])
}
