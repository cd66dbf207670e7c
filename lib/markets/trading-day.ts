import type { Temporal } from 'temporal-polyfill'
import { isBefore } from '../model/time/instants.ts'
import type { TradingSession } from '../ports/broker/broker.ts'

/** Saturday and Sunday have no session; holidays are taken for trading days, which costs a needless question. */
const LAST_WEEKDAY = 5

export interface TradingDay {
  readonly date: Temporal.PlainDate
  readonly opens: Temporal.Instant
  readonly closes: Temporal.Instant
}

/** The session that is on, or the next one. */
export function presentTradingDay(session: TradingSession, now: Temporal.Instant): TradingDay {
  let date = now.toZonedDateTimeISO(session.timeZone).toPlainDate()
  for (;;) {
    const day = tradingDay(session, date)
    if (isWeekday(date) && isBefore(now, day.closes)) return day
    date = date.add({ days: 1 })
  }
}

/** By when a person's login is needed: the next opening, or none while the market is open already. */
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

/** Holidays are not known here. */
export function isWeekday(date: Temporal.PlainDate): boolean {
  return date.dayOfWeek <= LAST_WEEKDAY
}
