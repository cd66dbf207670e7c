import { longestPauseSeconds, parseSchedule } from '../../../lib/markets/schedule.ts'

/** A fixed instant, so that the same configuration always gives the same template. */
const FROM_MS = Date.UTC(2026, 0, 5)
/** Enough runs to see the shortest pause of any weekly pattern that does not run every few minutes anyway. */
const RUNS_LOOKED_AT = 500

/** How often a broker's runs come. */
export interface RunRhythm {
  readonly shortestPauseSeconds: number
  /** Infinite when there are fewer than two runs in four weeks. */
  readonly longestPauseSeconds: number
}

/** The pauses between the runs of all of a broker's schedules together. */
export function runRhythm(expressions: readonly string[], timeZone: string): RunRhythm {
  const schedules = expressions.map((expression) => parseSchedule(expression, timeZone))
  let shortestMs = Number.POSITIVE_INFINITY
  let lastMs: number | undefined
  for (let run = 0; run < RUNS_LOOKED_AT; run++) {
    const nexts = schedules.flatMap((schedule) => schedule.next(lastMs ?? FROM_MS) ?? [])
    if (nexts.length === 0) break
    const nextMs = Math.min(...nexts)
    if (lastMs !== undefined) shortestMs = Math.min(shortestMs, nextMs - lastMs)
    lastMs = nextMs
  }
  const longest = longestPauseSeconds(schedules, FROM_MS)
  return {
    shortestPauseSeconds: shortestMs / 1000,
    longestPauseSeconds: longest > 0 ? longest : Number.POSITIVE_INFINITY,
  }
}
