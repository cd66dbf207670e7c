import { Temporal } from 'temporal-polyfill'

type Date = Temporal.PlainDate

export const MONDAY = 1
export const THURSDAY = 4
const SATURDAY = 6
export const SUNDAY = 7

export function on(year: number, month: number, day: number): Date {
  return Temporal.PlainDate.from({ year, month, day })
}

export function isWeekday(date: Date): boolean {
  return date.dayOfWeek < SATURDAY
}

/** The first, second … such day of a month. */
export function nth(count: number, dayOfWeek: number, year: number, month: number): Date {
  const first = on(year, month, 1)
  return first.add({ days: ((dayOfWeek - first.dayOfWeek + 7) % 7) + (count - 1) * 7 })
}

export function lastMonday(year: number, month: number): Date {
  const last = on(year, month, 1).add({ months: 1 }).subtract({ days: 1 })
  return last.subtract({ days: last.dayOfWeek - MONDAY })
}

/** This day, or the last weekday before it. */
export function weekdayUpTo(date: Date): Date {
  return isWeekday(date) ? date : weekdayUpTo(date.subtract({ days: 1 }))
}

/** This day, or the first weekday after it. */
export function weekdayFrom(date: Date): Date {
  return isWeekday(date) ? date : weekdayFrom(date.add({ days: 1 }))
}

/** By Meeus, Jones and Butcher, for every year of the Gregorian calendar. */
export function easterSunday(year: number): Date {
  const [a, b, c] = [year % 19, Math.floor(year / 100), year % 100]
  const g = Math.floor((8 * b + 13) / 25)
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7
  const m = Math.floor((a + 11 * h + 19 * l) / 433)
  const month = Math.floor((h + l - 7 * m + 90) / 25)
  return on(year, month, (h + l - 7 * m + 33 * month + 19) % 32)
}

/** Whether the United States keep daylight time on most of that day: from March's second Sunday to November's first. */
export function isUsDaylightTime(date: Date): boolean {
  const { year } = date
  const from = nth(2, SUNDAY, year, 3)
  const until = nth(1, SUNDAY, year, 11)
  return Temporal.PlainDate.compare(date, from) >= 0 && Temporal.PlainDate.compare(date, until) < 0
}
