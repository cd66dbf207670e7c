import type { Temporal } from 'temporal-polyfill'
import type { AccountState } from '../../../model/account-state.ts'
import { isFromTheFuture } from '../../../model/time/clock-tolerance.ts'
import { isAfter } from '../../../model/time/instants.ts'
import type { LoginBudget } from '../../../ports/broker/broker-context.ts'

type Instant = Temporal.Instant

/** The longest wait that is recorded (LONGEST_NOT_BEFORE_S in attempt.ts). */
const LONGEST_HOLD_HOURS = 24

/** What holds an attempt back until `at`. */
export interface Hold {
  readonly at: Instant
  readonly reason: string
  /** Whether today's attempts are used up. */
  readonly dayIsSpent: boolean
}

/**
 * When the next attempt at the broker's login is allowed, and what holds it back; `undefined` where it is
 * allowed now. A day is a calendar day in `timeZone`. Pure.
 */
export function attemptAllowedAt(
  budget: LoginBudget,
  state: Pick<AccountState, 'attempts' | 'notBefore' | 'notBeforeSetAt'>,
  timeZone: string,
  now: Instant,
): Hold | undefined {
  const attempts = withoutFuture(state.attempts, now)
  const limits: Hold[] = []
  const hold = (at: Instant, reason: string, dayIsSpent = false): void =>
    void limits.push({ at, reason, dayIsSpent })
  if (state.notBefore && !isFromTheFuture(setAtOf(state.notBefore, state.notBeforeSetAt), now))
    hold(state.notBefore, 'the broker asked us to wait')
  const last = attempts.at(-1)
  if (last) {
    const { minimumGapSeconds } = budget
    hold(last.add({ seconds: minimumGapSeconds }), `at most one login in ${minimumGapSeconds} s`)
  }
  if (budget.perHour !== undefined) {
    const hour = attempts.filter((at) => isAfter(at.add({ hours: 1 }), now))
    const oldest = hour.at(-budget.perHour)
    if (oldest) hold(oldest.add({ hours: 1 }), `${budget.perHour} logins per hour are spent`)
  }
  if (attemptsLeftToday(budget, state, timeZone, now) === 0) {
    const tomorrow = now.toZonedDateTimeISO(timeZone).startOfDay().add({ days: 1 }).toInstant()
    hold(tomorrow, `${budget.perDay} logins per day are spent`, true)
  }
  const holding = limits.filter(({ at }) => isAfter(at, now))
  if (holding.length === 0) return undefined
  return holding.reduce((a, b) => (isAfter(b.at, a.at) ? b : a))
}

/**
 * The fields by which {@link attemptAllowedAt} holds a person's login back: only what the broker said of
 * logins counts, and not that it throttled a grant.
 */
export function loginHold({
  loginNotBefore: notBefore,
  loginNotBeforeSetAt: notBeforeSetAt,
}: AccountState): Pick<AccountState, 'notBefore' | 'notBeforeSetAt'> {
  return { ...(notBefore && { notBefore }), ...(notBeforeSetAt && { notBeforeSetAt }) }
}

/**
 * A record of an earlier version does not say when the wait was set: the earliest instant possible is
 * assumed.
 */
function setAtOf(notBefore: Instant, setAt: Instant | undefined): Instant {
  return setAt ?? notBefore.subtract({ hours: LONGEST_HOLD_HOURS })
}

/**
 * Drops attempts in the future: a clock that was ahead wrote them, and they must not block anything until
 * then.
 */
function withoutFuture(attempts: readonly Instant[], now: Instant): readonly Instant[] {
  return attempts.filter((at) => !isFromTheFuture(at, now))
}

/** How many attempts today's budget still has; infinite where the broker has no daily budget. Pure. */
export function attemptsLeftToday(
  { perDay }: LoginBudget,
  { attempts }: Pick<AccountState, 'attempts'>,
  timeZone: string,
  now: Instant,
): number {
  if (perDay === undefined) return Number.POSITIVE_INFINITY
  const midnight = now.toZonedDateTimeISO(timeZone).startOfDay().toInstant()
  return Math.max(0, perDay - withoutFuture(attempts, now).filter((at) => !isAfter(midnight, at)).length)
}

/** The attempts with one at `now` added; those too old for any budget are dropped. Pure. */
export function withAttempt(attempts: readonly Instant[], now: Instant): readonly Instant[] {
  // 25 h is the longest calendar day of any zone. An attempt in the future was written by a clock that was
  // ahead; it happened by now at the latest.
  const past = attempts.map((at) => (isFromTheFuture(at, now) ? now : at))
  return [...past.filter((at) => isAfter(at.add({ hours: 25 }), now)), now]
}
