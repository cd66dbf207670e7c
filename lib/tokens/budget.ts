import { Temporal } from 'temporal-polyfill'
import type { LoginBudget } from '../ports/broker.ts'
import type { AccountState } from './account-state.ts'

type Instant = Temporal.Instant

/**
 * When the next attempt at the broker's login is allowed, and what holds it back; `undefined` when nothing does.
 * The day is the calendar day in the broker's zone.
 */
export function attemptAllowedAt(
  budget: LoginBudget,
  state: Pick<AccountState, 'attempts' | 'notBefore'>,
  timeZone: string,
  now: Instant,
): { readonly at: Instant; readonly reason: string } | undefined {
  const limits: { at: Instant; reason: string }[] = []
  if (state.notBefore) limits.push({ at: state.notBefore, reason: 'the broker asked us to wait' })
  const last = state.attempts.at(-1)
  if (last) {
    const at = last.add({ seconds: budget.minimumGapSeconds })
    limits.push({ at, reason: `at most one login in ${budget.minimumGapSeconds} s` })
  }
  if (budget.perHour !== undefined) {
    const hour = state.attempts.filter((at) => isAfter(at.add({ hours: 1 }), now))
    const oldest = hour.at(-budget.perHour)
    if (oldest)
      limits.push({ at: oldest.add({ hours: 1 }), reason: `${budget.perHour} logins per hour are spent` })
  }
  if (budget.perDay !== undefined) {
    const midnight = now.toZonedDateTimeISO(timeZone).startOfDay()
    const today = state.attempts.filter((at) => !isAfter(midnight.toInstant(), at))
    if (today.length >= budget.perDay) {
      limits.push({
        at: midnight.add({ days: 1 }).toInstant(),
        reason: `${budget.perDay} logins per day are spent`,
      })
    }
  }
  const holding = limits.filter(({ at }) => isAfter(at, now))
  if (holding.length === 0) return undefined
  return holding.reduce((a, b) => (isAfter(b.at, a.at) ? b : a))
}

/** The attempts with this one added, those that no budget looks at any more dropped. */
export function withAttempt(attempts: readonly Instant[], now: Instant): readonly Instant[] {
  // 25 h: the longest calendar day of any zone.
  return [...attempts.filter((at) => isAfter(at.add({ hours: 25 }), now)), now]
}

function isAfter(a: Instant, b: Instant): boolean {
  return Temporal.Instant.compare(a, b) > 0
}
