import { Temporal } from 'temporal-polyfill'

const EARLIEST = Temporal.Instant.from('2000-01-01T00:00:00Z')
const LATEST = Temporal.Instant.from('2100-01-01T00:00:00Z')
/** Epoch seconds stay below this until the year 5138, epoch milliseconds have been above it since 1973. */
const SMALLEST_MILLISECONDS = 100_000_000_000

/**
 * The instant in an `expires_at` of unknown make: ISO 8601 with an offset, ISO 8601 without one (then the
 * wall clock of `naiveTimeZone`), epoch seconds or milliseconds, as number or numeric text. `undefined` when it
 * is none of these or no plausible time.
 */
export function parseExpiresAt(value: unknown, naiveTimeZone: string): Temporal.Instant | undefined {
  let instant: Temporal.Instant | undefined
  if (typeof value === 'number') instant = fromEpoch(value)
  if (typeof value === 'string') instant = fromText(value, naiveTimeZone)
  if (instant === undefined) return undefined
  const plausible =
    Temporal.Instant.compare(instant, EARLIEST) >= 0 && Temporal.Instant.compare(instant, LATEST) <= 0
  return plausible ? instant : undefined
}

function fromText(text: string, naiveTimeZone: string): Temporal.Instant | undefined {
  const trimmed = text.trim()
  if (/^\d+(\.\d+)?$/.test(trimmed)) return fromEpoch(Number(trimmed))
  return (
    attempt(() => Temporal.Instant.from(trimmed)) ??
    attempt(() => Temporal.PlainDateTime.from(trimmed).toZonedDateTime(naiveTimeZone).toInstant())
  )
}

function fromEpoch(count: number): Temporal.Instant | undefined {
  const milliseconds = Math.trunc(count < SMALLEST_MILLISECONDS ? count * 1000 : count)
  return attempt(() => Temporal.Instant.fromEpochMilliseconds(milliseconds))
}

/** Temporal answers a text or a number it cannot read with a RangeError. */
function attempt(read: () => Temporal.Instant): Temporal.Instant | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
