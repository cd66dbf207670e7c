import { setTimeout } from 'node:timers/promises'
import { Temporal } from 'temporal-polyfill'
import type { Clock } from '../../lib/ports/clock.ts'

/** The time of the machine. */
export const systemClock: Clock = {
  // biome-ignore lint/plugin: this is the Clock port's adapter for the real time
  now: () => Temporal.Now.instant(),
  sleep: (milliseconds) => setTimeout(milliseconds),
}
