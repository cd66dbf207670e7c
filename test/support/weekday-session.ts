import { Temporal } from 'temporal-polyfill'
import type { TradingSession } from '../../lib/ports/broker/broker.ts'

/** An invented market that trades at the same time from Monday to Friday and knows no holidays. */
export function weekdaySession({
  timeZone,
  opens,
  closes,
}: {
  readonly timeZone: string
  readonly opens: string
  readonly closes: string
}): TradingSession {
  const session: TradingSession = {
    markets: [],
    timeZone,
    on(date) {
      if (date.dayOfWeek > 5) return undefined
      const at = (time: string): Temporal.Instant =>
        date.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(time) }).toInstant()
      return { opens: at(opens), closes: at(closes) }
    },
    atMost: (date) => session.on(date),
    of: () => session,
  }
  return session
}
