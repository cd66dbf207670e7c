import { Temporal } from 'temporal-polyfill'
import { jwtExpiry } from './jwt.ts'
import type { Secret } from './secret.ts'

/** How a token dies. */
type LifetimeRule =
  /** As the reply said, `expires_in` or an instant. */
  | { readonly kind: 'reply' }
  /** The `exp` of the token itself. */
  | { readonly kind: 'jwt' }
  /** At a wall-clock time: the first one strictly after the issue, or the one of the next calendar day. */
  | { readonly kind: 'clock'; readonly at: string; readonly timeZone: string; readonly day: 'first' | 'next' }
  | { readonly kind: 'hours'; readonly hours: number }

/** The earliest of all rules that give an instant decides; `otherwise` where none does. */
export interface Lifetime {
  readonly earliestOf: readonly LifetimeRule[]
  readonly otherwise: LifetimeRule
}

export interface SessionModel {
  readonly accessToken: Lifetime
  readonly refreshToken?: Lifetime
  /** The zone of this broker's days: budgets, deadlines and times shown. */
  readonly timeZone: string
  /** How early a refresh is due unless the account says otherwise. @default - a third of the life, at least 30 min */
  readonly leewayMinutes?: number
  /** A local ceiling on a token's age unless the account has its own. */
  readonly maxLifetimeHours?: number
}

/** What is known of a token when its expiry is worked out. */
export interface Issued {
  readonly token: Secret
  /** When the request was sent; lifetimes count from here. */
  readonly at: Temporal.Instant
  readonly expiresIn?: number | undefined
  readonly expiresAt?: Temporal.Instant | undefined
}

export interface Expiry {
  readonly expiresAt: Temporal.Instant
  readonly decidedBy: string
}

/** When a token dies and which rule says so. `maxLifetimeHours` is the owner's local ceiling. */
export function expiryOf(lifetime: Lifetime, issued: Issued, maxLifetimeHours?: number): Expiry {
  const rules = [...lifetime.earliestOf]
  if (maxLifetimeHours !== undefined) rules.push({ kind: 'hours', hours: maxLifetimeHours })
  const known = rules.flatMap((rule) => apply(rule, issued) ?? [])
  const onlyCeiling = maxLifetimeHours !== undefined && known.length === 1
  if (known.length === 0 || onlyCeiling)
    known.push(...[apply(lifetime.otherwise, issued)].flatMap((e) => e ?? []))
  const earliest = known.reduce((a, b) => (Temporal.Instant.compare(b.expiresAt, a.expiresAt) < 0 ? b : a))
  return earliest
}

/**
 * When a token issued at `at` would die as far as the model can tell without having it. Rules that need the
 * reply are replaced by `lastLife`, the life of the previous token; `undefined` when nothing is known.
 */
export function expectedExpiry(
  lifetime: Lifetime,
  at: Temporal.Instant,
  lastLife?: Temporal.Duration,
  maxLifetimeHours?: number,
): Temporal.Instant | undefined {
  const rules = [...lifetime.earliestOf, lifetime.otherwise]
  const walls = rules.flatMap((rule) => (rule.kind === 'clock' ? nextClock(rule, at) : []))
  const hours = rules.flatMap((rule) =>
    rule.kind === 'hours' ? at.add({ minutes: Math.round(rule.hours * 60) }) : [],
  )
  const candidates = walls.length > 0 ? walls : lastLife !== undefined ? [at.add(lastLife)] : hours
  if (maxLifetimeHours !== undefined) candidates.push(at.add({ minutes: Math.round(maxLifetimeHours * 60) }))
  if (candidates.length === 0) return undefined
  return candidates.reduce((a, b) => (Temporal.Instant.compare(b, a) < 0 ? b : a))
}

/** The instant a wall-clock rule names for a token issued at `from`. Daylight saving follows the zone. */
export function nextClock(
  rule: { readonly at: string; readonly timeZone: string; readonly day: 'first' | 'next' },
  from: Temporal.Instant,
): Temporal.Instant {
  const issued = from.toZonedDateTimeISO(rule.timeZone)
  const today = issued.withPlainTime(rule.at)
  if (rule.day === 'first' && Temporal.Instant.compare(today.toInstant(), from) > 0) return today.toInstant()
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
