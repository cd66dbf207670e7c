import { fileURLToPath } from 'node:url'
import { Temporal } from 'temporal-polyfill'
import { marketSession } from '../../lib/markets/session.ts'

const MARKET = marketSession(['in-equity', 'in-fno'])
const ZONE = 'Asia/Kolkata'
/** A login helps from 06:00, and every market is still closed. */
const AT = '08:00'

/**
 * Variables that move a test and its processes on to the next morning before an Indian market opens, whatever the day and
 * the hour: nobody is asked for a login on a Saturday or a holiday, and the functions of a deployed stack go by the host's clock alone.
 * Forward, since the emulators stay on the host's own day and nothing they wrote may lie ahead.
 */
export function marketMorning(): Readonly<Record<string, string>> {
  const now = Temporal.Now.zonedDateTimeISO(ZONE)
  let morning = now.withPlainTime(AT)
  while (Temporal.ZonedDateTime.compare(morning, now) <= 0 || !MARKET.on(morning.toPlainDate())) {
    morning = morning.add({ days: 1 })
  }
  const preload = fileURLToPath(new URL('shift-clock.cjs', import.meta.url))
  return {
    SHIFT_CLOCK_MS: String(Math.round(now.until(morning).total('milliseconds'))),
    NODE_OPTIONS: `--require=${JSON.stringify(preload)}`,
  }
}
