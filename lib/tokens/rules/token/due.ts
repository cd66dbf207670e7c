import { Temporal } from 'temporal-polyfill'
import { sessionOf } from '../../../markets/session.ts'
import { presentDayAtMost, presentTradingDay, type TradingDay } from '../../../markets/trading-day.ts'
import type { AccessTokenRecord, AccountSettings, AccountState } from '../../../model/account-state.ts'
import { expectedExpiry, type SessionModel } from '../../../model/expiry/session-model.ts'
import { isAfter, isBefore } from '../../../model/time/instants.ts'
import type { Broker, TradingSession } from '../../../ports/broker/broker.ts'
import { isProvable } from './provable.ts'

/** A token counts as dead this many seconds before it expires: a request takes time, and clocks differ. */
export const DEAD_EARLY_SECONDS = 60
const SHORTEST_DEFAULT_LEEWAY_MINUTES = 30
/** The rule of cert-manager: renew when two thirds of the life are over. */
const LEEWAY_SHARE_OF_LIFE = 1 / 3
/**
 * A trading day's morning begins this many minutes before the open. A proof from before it says nothing of
 * today, since a session can end overnight (lib/brokers/README.md, Time), and a person asked before it would
 * be asked at night.
 */
export const BEFORE_OPEN_MINUTES = 180
/**
 * A token is proven once more this many minutes before the open, while there is time for a person to log in.
 */
export const PROVE_MINUTES_BEFORE_OPEN = 45

/** Whether a renewal is due. `expired`: the token is dead, or dies within the next minute. */
export interface Due {
  readonly due: boolean
  readonly expired: boolean
  readonly reason: string
}

/** Whether a live token should be renewed now. Pure. */
export function whetherDue(
  token: AccessTokenRecord,
  model: SessionModel,
  settings: AccountSettings,
  now: Temporal.Instant,
  session?: TradingSession,
): Due {
  const expired = isAfterOrAt(now, token.expiresAt.subtract({ seconds: DEAD_EARLY_SECONDS }))
  const dead = isAfterOrAt(now, token.expiresAt)
  if (dead) return { due: true, expired, reason: 'the access token has expired' }

  if (!gains(token, model, settings, now)) {
    return { due: false, expired: false, reason: 'a new access token would not live longer' }
  }
  if (expired) return { due: true, expired, reason: 'the access token is about to expire' }

  const leewayMinutes = leeway(token.issuedAt.until(token.expiresAt), model, settings)
  if (isAfterOrAt(now, token.expiresAt.subtract({ seconds: Math.round(leewayMinutes * 60) }))) {
    return { due: true, expired, reason: `fewer than ${Math.round(leewayMinutes)} min remain` }
  }
  const close = session && todaysClose(session, now)
  if (close && isAfter(close, token.expiresAt)) {
    return { due: true, expired, reason: 'the access token would die before the market closes' }
  }
  return { due: false, expired, reason: 'the access token is live' }
}

/**
 * When a renewal falls due. For a token that dies at a wall-clock time this is not before that time, where a
 * renewal gains nothing sooner. Pure.
 */
export function dueAt(
  token: AccessTokenRecord,
  model: SessionModel,
  settings: AccountSettings,
): Temporal.Instant {
  const life = token.issuedAt.until(token.expiresAt)
  const early = token.expiresAt.subtract({ seconds: Math.round(leeway(life, model, settings) * 60) })
  return gains(token, model, settings, early) ? early : token.expiresAt
}

/** Whether a token issued at `at` would outlive this one. */
function gains(
  token: AccessTokenRecord,
  model: SessionModel,
  settings: AccountSettings,
  at: Temporal.Instant,
): boolean {
  const life = token.issuedAt.until(token.expiresAt)
  const ceiling = settings.maxLifetimeHours ?? model.maxLifetimeHours
  const renewed = expectedExpiry(model.accessToken, at, life, ceiling)
  return renewed === undefined || isAfter(renewed, token.expiresAt.add({ seconds: DEAD_EARLY_SECONDS }))
}

/**
 * Minutes before the expiry at which a renewal is due. Never the whole life, or each run would renew. Pure.
 */
export function leeway(life: Temporal.Duration, model: SessionModel, settings: AccountSettings): number {
  const lifeMinutes = life.total('minutes')
  const third = lifeMinutes * LEEWAY_SHARE_OF_LIFE
  const wanted =
    settings.leewayMinutes ?? model.leewayMinutes ?? Math.max(third, SHORTEST_DEFAULT_LEEWAY_MINUTES)
  return wanted >= lifeMinutes ? third : wanted
}

/** The close of a session that is today and not over yet, or still on since yesterday; also on a holiday (atMost). */
function todaysClose(session: TradingSession, now: Temporal.Instant): Temporal.Instant | undefined {
  const day = presentDayAtMost(session, now)
  const today = now.toZonedDateTimeISO(session.timeZone).toPlainDate()
  // Of markets far apart one may have its morning while the date of the first is yesterday's.
  const isToday = Temporal.PlainDate.compare(day.date, today) <= 0 || isAfterOrAt(now, morningOf(day))
  return isToday ? day.closes : undefined
}

/** Whether it is between three hours before an open and its close: when a person is asked without haste. */
export function isMarketNear(session: TradingSession, now: Temporal.Instant): boolean {
  return isAfterOrAt(now, morningOf(presentTradingDay(session, now)))
}

function morningOf({ opens }: TradingDay): Temporal.Instant {
  return opens.subtract({ minutes: BEFORE_OPEN_MINUTES })
}

/**
 * Whether a token that lives past today's open has to be proven again: once from three hours before the open,
 * and once more shortly before it, since a broker may end the token in between (Kite's flush, a login by the
 * owner). Holds until the close, for runs that come late; false where only a login proves a token. Pure.
 */
export function wantsProof(
  token: Pick<AccessTokenRecord, 'provenAt' | 'expiresAt'>,
  broker: Pick<Broker, 'tradingSession' | 'proveMinutesBeforeOpen' | 'provable'>,
  account: Pick<AccountState, 'settings'>,
  now: Temporal.Instant,
): boolean {
  if (!isProvable(broker, account)) return false
  const { proveMinutesBeforeOpen: minutes = PROVE_MINUTES_BEFORE_OPEN } = broker
  const session = sessionOf(broker, account.settings)
  if (!session) return false
  // Also on a holiday: the proof costs nobody anything, and what it finds may be mended without anybody.
  return [presentTradingDay(session, now), presentDayAtMost(session, now)].some((day) => {
    const [from, near] = [morningOf(day), day.opens.subtract({ minutes })]
    if (isBefore(now, from)) return false
    return (
      isAfter(isAfterOrAt(now, near) ? near : from, token.provenAt) && isAfter(token.expiresAt, day.opens)
    )
  })
}

function isAfterOrAt(a: Temporal.Instant, b: Temporal.Instant): boolean {
  return !isBefore(a, b)
}
