import { Temporal } from 'temporal-polyfill'
import type { Secret } from '../secrets/secret.ts'
import { isAfter, isBefore } from '../time/instants.ts'
import { jwtExpiry } from './jwt.ts'

/** One rule for when a token dies. */
type LifetimeRule =
  /** When the reply said so, by `expires_in` or an instant. */
  | { readonly kind: 'reply' }
  /** At the `exp` of the token itself. */
  | { readonly kind: 'jwt' }
  | ClockRule
  | HoursRule

/**
 * At the wall-clock time `at`, HH:MM: the first one strictly after the issue, or that of the next calendar
 * day.
 */
interface ClockRule {
  readonly kind: 'clock'
  readonly at: string
  readonly timeZone: string
  readonly day: 'first' | 'next'
}

interface HoursRule {
  readonly kind: 'hours'
  readonly hours: number
}

/**
 * The earliest of the rules in `earliestOf` that give an instant decides. Where none gives one, `otherwise`
 * does.
 */
export interface Lifetime {
  readonly earliestOf: readonly LifetimeRule[]
  readonly otherwise: LifetimeRule
}

/** How a broker's tokens die. */
export interface SessionModel {
  readonly accessToken: Lifetime
  readonly refreshToken?: Lifetime
  /** The IANA zone of this broker's days: for budgets, deadlines and times shown. */
  readonly timeZone: string
  /**
   * How many minutes before the expiry a renewal is due; an account's own setting counts more. @default - a
   * third of the life, at least 30 min
   */
  readonly leewayMinutes?: number
  /** Our own limit on a token's age, in hours; an account's own setting counts more. @default - none */
  readonly maxLifetimeHours?: number
}

/** What is known of a token when its expiry is worked out. */
export interface Issued {
  readonly token: Secret
  /** When the request was sent; lifetimes count from then. */
  readonly at: Temporal.Instant
  readonly expiresIn?: number | undefined
  readonly expiresAt?: Temporal.Instant | undefined
}

/** When a token dies, and in words which rule said so. */
export interface Expiry {
  readonly expiresAt: Temporal.Instant
  readonly decidedBy: string
}

/**
 * When a token dies, and which rule says so. `maxLifetimeHours` is the owner's own limit on its age. Pure.
 */
export function expiryOf(lifetime: Lifetime, issued: Issued, maxLifetimeHours?: number): Expiry {
  const rules = [...lifetime.earliestOf]
  if (maxLifetimeHours !== undefined) rules.push({ kind: 'hours', hours: maxLifetimeHours })
  const known = rules.flatMap((rule) => apply(rule, issued) ?? [])
  const onlyCeiling = maxLifetimeHours !== undefined && known.length === 1
  if (known.length === 0 || onlyCeiling)
    known.push(...[apply(lifetime.otherwise, issued)].flatMap((e) => e ?? []))
  const earliest = known.reduce((a, b) => (isBefore(b.expiresAt, a.expiresAt) ? b : a))
  return earliest
}

/**
 * When a token issued at `at` would die, as far as the model tells without the token. `lastLife`, the life of
 * the previous token, replaces rules that need the reply; `undefined` where nothing is known. Pure.
 */
export function expectedExpiry(
  lifetime: Lifetime,
  at: Temporal.Instant,
  lastLife?: Temporal.Duration,
  maxLifetimeHours?: number,
): Temporal.Instant | undefined {
  const { clocks, hours } = rulesOf(lifetime)
  const walls = clocks.map((rule) => nextClock(rule, at))
  const lives = hours.map((rule) => at.add(minutesOf(rule.hours)))
  const candidates = walls.length > 0 ? walls : lastLife !== undefined ? [at.add(lastLife)] : lives
  if (maxLifetimeHours !== undefined) candidates.push(at.add(minutesOf(maxLifetimeHours)))
  if (candidates.length === 0) return undefined
  return candidates.reduce((a, b) => (isBefore(b, a) ? b : a))
}

/**
 * The inverse of {@link expectedExpiry}: the earliest issue, in whole seconds, of a token that lives past
 * `after`. `undefined` where nothing is known. For a broker that tells a token's life in the token or the
 * reply, that is so until `lastLife` is known, since the model's other rules are only a guess. Pure.
 */
export function issuedFrom(
  lifetime: Lifetime,
  after: Temporal.Instant,
  lastLife?: Temporal.Duration,
  maxLifetimeHours?: number,
): Temporal.Instant | undefined {
  const { clocks, hours } = rulesOf(lifetime)
  const isTold = lifetime.earliestOf.some(({ kind }) => kind === 'reply' || kind === 'jwt')
  const lives = isTold ? [] : hours.map((rule) => minutesOf(rule.hours))
  const counted = clocks.length > 0 ? [] : lastLife ? [lastLife] : lives
  if (maxLifetimeHours !== undefined) counted.push(minutesOf(maxLifetimeHours))
  const earliest = [
    ...clocks.map((rule) => previousClock(rule, after)),
    ...counted.map((life) => after.subtract(life).add({ seconds: 1 })),
  ]
  // Each rule alone can end the token, so the latest issue decides.
  return earliest.toSorted(Temporal.Instant.compare).at(-1)
}

function minutesOf(hours: number): Temporal.Duration {
  return Temporal.Duration.from({ minutes: Math.round(hours * 60) })
}

/** The rules that tell when a token dies without looking at it. */
function rulesOf({ earliestOf, otherwise }: Lifetime): {
  readonly clocks: readonly ClockRule[]
  readonly hours: readonly HoursRule[]
} {
  const rules = [...earliestOf, otherwise]
  return {
    clocks: rules.filter((rule) => rule.kind === 'clock'),
    hours: rules.filter((rule) => rule.kind === 'hours'),
  }
}

/** The earliest issue for which {@link nextClock} gives an instant later than `after`. */
function previousClock(rule: ClockRule, after: Temporal.Instant): Temporal.Instant {
  const { timeZone, at: plainTime } = rule
  const date = after.toZonedDateTimeISO(timeZone).toPlainDate()
  const at = (day: Temporal.PlainDate): Temporal.Instant =>
    day.toZonedDateTime({ timeZone, plainTime }).toInstant()
  const isPast = !isAfter(at(date), after)
  if (rule.day === 'first') return at(isPast ? date : date.subtract({ days: 1 }))
  // With `next` the whole day before counts, so the issue may be at its beginning.
  return (isPast ? date : date.subtract({ days: 1 })).toZonedDateTime(timeZone).toInstant()
}

/**
 * The instant that a wall-clock rule gives for a token issued at `from`. Daylight saving follows the zone.
 * Pure.
 */
export function nextClock(
  rule: { readonly at: string; readonly timeZone: string; readonly day: 'first' | 'next' },
  from: Temporal.Instant,
): Temporal.Instant {
  const issued = from.toZonedDateTimeISO(rule.timeZone)
  const today = issued.withPlainTime(rule.at)
  if (rule.day === 'first' && isAfter(today.toInstant(), from)) return today.toInstant()
  return issued
    .toPlainDate()
    .add({ days: 1 })
    .toZonedDateTime({ timeZone: rule.timeZone, plainTime: rule.at })
    .toInstant()
}

function apply(rule: LifetimeRule, issued: Issued): Expiry | undefined {
  switch (rule.kind) {
    case 'reply':
      if (issued.expiresAt !== undefined) return { expiresAt: issued.expiresAt, decidedBy: 'the reply' }
      if (issued.expiresIn === undefined) return undefined
      return { expiresAt: issued.at.add({ seconds: issued.expiresIn }), decidedBy: "the reply's expires_in" }
    case 'jwt': {
      const expiresAt = jwtExpiry(issued.token)
      return expiresAt && { expiresAt, decidedBy: "the token's own exp" }
    }
    case 'clock':
      return { expiresAt: nextClock(rule, issued.at), decidedBy: `${rule.at} ${rule.timeZone}` }
    case 'hours':
      return {
        expiresAt: issued.at.add({ minutes: Math.round(rule.hours * 60) }),
        decidedBy: `${rule.hours} h after issue`,
      }
  }
}
