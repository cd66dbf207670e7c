import type { Schedule } from './schedule.ts'

/**
 * The first run that schedules ought to have started after an instant and that should be over by now; `undefined` where
 * none is. Instants in epoch milliseconds. Weekends and pauses are no concern: nothing is due in them.
 */
export function missedRun(
  schedules: readonly Schedule[],
  afterMs: number,
  nowMs: number,
  graceMinutes: number,
): number | undefined {
  const due = Math.min(...schedules.flatMap((schedule) => schedule.next(afterMs) ?? []))
  return due + graceMinutes * 60_000 <= nowMs ? due : undefined
}
