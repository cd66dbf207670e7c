import type { Broker } from '../ports/broker/broker.ts'
import { parseSchedule } from './schedule.ts'

/** Whether a broker's schedules start a run within these minutes after an instant in epoch milliseconds. */
export function isRunNear({ schedule }: Pick<Broker, 'schedule'>, afterMs: number, minutes: number): boolean {
  return schedule.expressions.some((expression) => {
    const next = parseSchedule(expression, schedule.timeZone).next(afterMs)
    return next !== undefined && next - afterMs <= minutes * 60_000
  })
}
