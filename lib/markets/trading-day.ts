import type { Temporal } from 'temporal-polyfill'
import { isBefore } from '../model/time/instants.ts'
import type { TradingSession } from '../ports/broker/broker.ts'

/**
 * Saturday and Sunday have no session. Holidays count as trading days, which at worst asks a person for
 * nothing.
 */
const LAST_WEEKDAY = 5

/** A trading session on one day. */
export interface TradingDay {
  readonly date: Temporal.PlainDate
  readonly opens: Temporal.Instant
  readonly closes: Temporal.Instant
}

/** The session that is on, or the next one. Holidays are not known. Pure. */
export function presentTradingDay(session: TradingSession, now: Temporal.Instant): TradingDay {
  let date = now.toZonedDateTimeISO(session.timeZone).toPlainDate()
  for (;;) {
    const day = tradingDay(session, date)
    if (isWeekday(date) && isBefore(now, day.closes)) return day
    date = date.add({ days: 1 })
  }
}

/**
 * By when a person's login is needed: the next open; `undefined` while the market is open, or where there is
 * none. Pure.
 */
export function loginDeadline(
  session: TradingSession | undefined,
  now: Temporal.Instant,
): Temporal.Instant | undefined {
  if (!session) return undefined
  const { opens } = presentTradingDay(session, now)
  return isBefore(now, opens) ? opens : undefined
}

function tradingDay({ timeZone, opens, closes }: TradingSession, date: Temporal.PlainDate): TradingDay {
  const at = (plainTime: string): Temporal.Instant =>
    date.toZonedDateTime({ timeZone, plainTime }).toInstant()
  return { date, opens: at(opens), closes: at(closes) }
}

/** Whether a date is Monday to Friday. Holidays are not known. */
export function isWeekday(date: Temporal.PlainDate): boolean {
  return date.dayOfWeek <= LAST_WEEKDAY
}
