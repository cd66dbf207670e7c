import type { Temporal } from 'temporal-polyfill'

/** English in which a zone's people have a short name for it: IST, EST, CET. */
const LOCALES = ['en-IN', 'en-US', 'en-GB']

/** An instant for people, on the clocks of a zone: `Tue 24 Nov 06:00 IST`. */
export function localInstant(instant: Temporal.Instant, timeZone: string): string {
  const local = instant.toZonedDateTimeISO(timeZone)
  const day = local.toLocaleString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' })
  return `${day.replace(',', '')} ${clockTime(instant, timeZone)} ${zoneName(instant, timeZone)}`
}

/** `Tue 06:00`, where date and zone go without saying. */
export function weekdayTime(instant: Temporal.Instant, timeZone: string): string {
  const day = instant.toZonedDateTimeISO(timeZone).toLocaleString('en-GB', { weekday: 'short' })
  return `${day} ${clockTime(instant, timeZone)}`
}

function clockTime(instant: Temporal.Instant, timeZone: string): string {
  return instant.toZonedDateTimeISO(timeZone).toPlainTime().toString({ smallestUnit: 'minute' })
}

export function zoneName(instant: Temporal.Instant, timeZone: string): string {
  const names = LOCALES.map((locale) => {
    const format = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' })
    const parts = format.formatToParts(instant.epochMilliseconds)
    return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone
  })
  return names.find((name) => !/^(GMT|UTC)[+-]/.test(name)) ?? timeZone
}
