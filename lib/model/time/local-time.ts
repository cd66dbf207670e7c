import type { Temporal } from 'temporal-polyfill'

/** English in which a zone's people have a short name for it: IST, EST, CET. */
const LOCALES = ['en-IN', 'en-US', 'en-GB']

/** Intl's formats take longer to make than to use, and a run over many accounts uses them for each. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** An instant for people, on the clocks of a zone: `Tue 24 Nov 06:00 IST`. */
export function localInstant(instant: Temporal.Instant, timeZone: string): string {
  const day = format('en-GB', { timeZone, weekday: 'short', day: 'numeric', month: 'short' })
  const date = day.format(instant.epochMilliseconds).replace(',', '')
  return `${date} ${clockTime(instant, timeZone)} ${zoneName(instant, timeZone)}`
}

/** `Tue 06:00`, where date and zone go without saying. */
export function weekdayTime(instant: Temporal.Instant, timeZone: string): string {
  const day = format('en-GB', { timeZone, weekday: 'short' }).format(instant.epochMilliseconds)
  return `${day} ${clockTime(instant, timeZone)}`
}

function clockTime(instant: Temporal.Instant, timeZone: string): string {
  return instant.toZonedDateTimeISO(timeZone).toPlainTime().toString({ smallestUnit: 'minute' })
}

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
