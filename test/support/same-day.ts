/**
 * What a process that is given an environment of its own needs beside it, to live on the same day and in the same
 * zone as the tests: nothing, but in a run on another day (vitest.later.config.ts).
 */
export function sameDay(): Readonly<Record<string, string>> {
  const { SHIFT_CLOCK_MS, NODE_OPTIONS = '', TZ } = process.env
  return SHIFT_CLOCK_MS === undefined ? {} : { SHIFT_CLOCK_MS, NODE_OPTIONS, ...(TZ !== undefined && { TZ }) }
}
