import type { Temporal } from 'temporal-polyfill'
import type { TradingSession } from '../ports/broker/broker.ts'
import type { Schedule } from './schedule.ts'
import { presentTradingDay, type TradingDay } from './trading-day.ts'

/** Two weeks of trading days, which is longer than any pattern of weekdays. */
const DAYS = 10

/**
 * The first of the next ten trading days on which no run starts in the last `minutes` before the open, when
 * every token is proven once more; `undefined` where each day has one. It is not known when a rate begins to
 * count, so only a rate shorter than `minutes` is sure to start one. Pure.
 */
export function dayWithoutRunNearOpen(
  schedules: readonly Schedule[],
  session: TradingSession,
  minutes: number,
  now: Temporal.Instant,
): TradingDay | undefined {
  let from = now
  for (let count = 0; count < DAYS; count++) {
    const day = presentTradingDay(session, from)
    const near = day.opens.subtract({ minutes }).epochMilliseconds
    const runs = schedules.flatMap((schedule) => schedule.next(near - 1) ?? [])
    if (!runs.some((run) => run < day.opens.epochMilliseconds)) return day
    from = day.closes
  }
  return undefined
}
