import { Temporal } from 'temporal-polyfill'

const EARLIEST = Temporal.Instant.from('2000-01-01T00:00:00Z')
const LATEST = Temporal.Instant.from('2100-01-01T00:00:00Z')
/** Epoch seconds stay below this until the year 5138, epoch milliseconds have been above it since 1973. */
const SMALLEST_MILLISECONDS = 100_000_000_000
/** Likewise of milliseconds and microseconds. */
const SMALLEST_MICROSECONDS = 100_000_000_000_000
/** Date, time, then a zone: an offset, after a blank or not, `Z`, `UTC`, a name, or RFC 9557's name in brackets. */
const DATE_AND_TIME =
  /^(\d{4}-\d\d-\d\d)[T ]+(\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?\s*(?:\[(?:u-ca=)?[^\]]*\]|[A-Za-z_]+\/[A-Za-z_/]+)?$/i
const ZONE_NAME = /\[(!?[A-Za-z_]+(?:\/[A-Za-z_+\-0-9]+)*)\]|\s([A-Za-z_]+\/[A-Za-z_/]+)$/
/** RFC 9110 section 5.6.7, and RFC 5322's numeric zone: the zone is in the text, so Date reads it alike everywhere. */
const HTTP_DATE =
  /^(?:[A-Za-z]{3,9},? )?\d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4} \d\d:\d\d(?::\d\d)? (?:GMT|UTC|[+-]\d{4})$/
/** The nanoseconds Temporal reads. */
const MOST_FRACTION_DIGITS = 9

/**
 * The instant in an `expires_at` of unknown make: ISO 8601 with an offset, a zone's name or neither (then the wall clock
 * of `naiveTimeZone`), an HTTP date, epoch seconds, milli- or microseconds as number or text, or a date object as PHP's
 * Carbon and Mongo serialise it. `undefined` when it is none of these or no plausible time.
 */
export function parseExpiresAt(value: unknown, naiveTimeZone: string): Temporal.Instant | undefined {
  const instant = read(value, naiveTimeZone)
  if (instant === undefined) return undefined
  const plausible =
    Temporal.Instant.compare(instant, EARLIEST) >= 0 && Temporal.Instant.compare(instant, LATEST) <= 0
  return plausible ? instant : undefined
}

function read(value: unknown, naiveTimeZone: string): Temporal.Instant | undefined {
  if (typeof value === 'number') return fromEpoch(value)
  if (typeof value === 'string') return fromText(value.trim(), naiveTimeZone)
  if (typeof value !== 'object' || value === null) return undefined
  const { date, timezone, $date } = value as Readonly<Record<string, unknown>>
  if ($date !== undefined) return read($date, naiveTimeZone)
  return typeof date === 'string'
    ? fromText(date.trim(), typeof timezone === 'string' ? timezone : naiveTimeZone)
    : undefined
}

function fromText(text: string, naiveTimeZone: string): Temporal.Instant | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return fromEpoch(Number(text))
  if (HTTP_DATE.test(text)) return attempt(() => Temporal.Instant.fromEpochMilliseconds(Date.parse(text)))
  const [, date, time, zone] = DATE_AND_TIME.exec(text) ?? []
  if (date === undefined || time === undefined) return undefined
  const [clock = '', fraction] = time.split(/[.,]/)
  const local = `${date}T${clock}${fraction === undefined ? '' : `.${fraction.slice(0, MOST_FRACTION_DIGITS)}`}`
  // An offset says the instant whatever name stands beside it (RFC 9557 section 3.4).
  if (zone !== undefined) {
    const offset = /^[+-]/.test(zone) ? zone : 'Z'
    return attempt(() => Temporal.Instant.from(local + offset))
  }
  const [, bracketed, bare] = ZONE_NAME.exec(text) ?? []
  const name = (bracketed ?? bare)?.replace(/^!/, '') ?? naiveTimeZone
  return attempt(() => Temporal.PlainDateTime.from(local).toZonedDateTime(name).toInstant())
}

function fromEpoch(count: number): Temporal.Instant | undefined {
  const milliseconds =
    count < SMALLEST_MILLISECONDS ? count * 1000 : count < SMALLEST_MICROSECONDS ? count : count / 1000
  return attempt(() => Temporal.Instant.fromEpochMilliseconds(Math.trunc(milliseconds)))
}

/** Temporal answers a text or a number it cannot read with a RangeError. */
function attempt(parse: () => Temporal.Instant): Temporal.Instant | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
