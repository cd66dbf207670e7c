import type { Temporal } from 'temporal-polyfill'

/** Variants of English that have short names for zones: IST, EST, CET. */
const LOCALES = ['en-IN', 'en-US', 'en-GB']

/** Making one of Intl's formats takes longer than using it, and a run uses them for each of many accounts. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** An instant for people, on the clocks of a zone: `Tue 24 Nov 06:00 IST`. */
export function localInstant(instant: Temporal.Instant, timeZone: string): string {
  const day = format('en-GB', { timeZone, weekday: 'short', day: 'numeric', month: 'short' })
  const date = day.format(instant.epochMilliseconds).replace(',', '')
  return `${date} ${clockTime(instant, timeZone)} ${zoneName(instant, timeZone)}`
}

/** `Tue 06:00`, for places where date and zone are clear. */
export function weekdayTime(instant: Temporal.Instant, timeZone: string): string {
  const day = format('en-GB', { timeZone, weekday: 'short' }).format(instant.epochMilliseconds)
  return `${day} ${clockTime(instant, timeZone)}`
}

/** `15:30`, or `Tue 02:30` where it is on another day than `date`. */
export function timeOn(instant: Temporal.Instant, date: Temporal.PlainDate, timeZone: string): string {
  const isThatDay = instant.toZonedDateTimeISO(timeZone).toPlainDate().equals(date)
  return isThatDay ? clockTime(instant, timeZone) : weekdayTime(instant, timeZone)
}

function clockTime(instant: Temporal.Instant, timeZone: string): string {
  return instant.toZonedDateTimeISO(timeZone).toPlainTime().toString({ smallestUnit: 'minute' })
}

/** The short name of a zone at an instant, such as `IST`; the zone's IANA id where English has none. */
export function zoneName(instant: Temporal.Instant, timeZone: string): string {
  for (const locale of LOCALES) {
    const parts = format(locale, { timeZone, timeZoneName: 'short' }).formatToParts(instant.epochMilliseconds)
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value
    if (name !== undefined && !/^(GMT|UTC)[+-]/.test(name)) return name
  }
  return timeZone
}

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${Object.entries(options).join(' ')}`
  const made = formats.get(key) ?? new Intl.DateTimeFormat(locale, options)
  formats.set(key, made)
  return made
}
