import type { Temporal } from 'temporal-polyfill'
import type { TradingSession } from '../ports/broker/broker.ts'
import type { Schedule } from './schedule.ts'
import { presentTradingDay, type TradingDay } from './trading-day.ts'

/** Two weeks of trading days: longer than any pattern of weekdays. */
const DAYS = 10

/**
 * The first of the next trading days without a run in the last `minutes` before its open, in which every token is to be
 * proven once more; `undefined` where each has one. A rate counts from nobody knows when, so it has to be shorter.
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
