import type { Temporal } from 'temporal-polyfill'
import { isBefore } from '../model/time/instants.ts'
import type { SessionOfDay, TradingSession } from '../ports/broker/broker.ts'

export interface TradingDay extends SessionOfDay {
  readonly date: Temporal.PlainDate
}

/** The session that is on, or the next one. Holidays are not known. Pure. */
export function presentTradingDay(session: TradingSession, now: Temporal.Instant): TradingDay {
  return presentDay(session, (date) => session.on(date), now)
}

/** The same, as if no weekday were closed: for what needs nobody. */
export function presentDayAtMost(session: TradingSession, now: Temporal.Instant): TradingDay {
  return presentDay(session, (date) => session.atMost(date), now)
}

function presentDay(
  session: TradingSession,
  on: (date: Temporal.PlainDate) => SessionOfDay | undefined,
  now: Temporal.Instant,
): TradingDay {
  // Yesterday's may last beyond midnight.
  let date = now.toZonedDateTimeISO(session.timeZone).toPlainDate().subtract({ days: 1 })
  for (;;) {
    const day = on(date)
    if (day && isBefore(now, day.closes)) return { date, ...day }
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
