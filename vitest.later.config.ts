import { fileURLToPath } from 'node:url'
import { Temporal } from 'temporal-polyfill'
import { defineConfig } from 'vitest/config'
import { suite } from './vitest.config.ts'

// These and the command's tests on another day: a year from now or more, on a day on which the clocks of the host's
// zone are put forward or back, an hour before they are, and half a minute before midnight UTC, so that midnight
// comes while it runs. What passes today and here only, fails then. Run by `npm run test:later`.
const HOST_ZONE = 'Europe/Berlin'

function start(): Temporal.Instant {
  const inAYear = Temporal.Now.zonedDateTimeISO(HOST_ZONE).add({ years: 1 })
  const change = inAYear.getTimeZoneTransition('next')
  if (!change) throw new Error(`${HOST_ZONE} no longer moves its clocks: choose another zone`)
  return change.withTimeZone('UTC').startOfDay().subtract({ seconds: 30 }).toInstant()
}

const preload = fileURLToPath(new URL('test/support/shift-clock.cjs', import.meta.url))

export default defineConfig({
  test: {
    ...suite,
    include: ['test/**/*.test.ts'],
    exclude: ['test/{aws,browser,package}/**', 'node_modules/**'],
    env: {
      TZ: HOST_ZONE,
      SHIFT_CLOCK_MS: String(Math.round(Temporal.Now.instant().until(start()).total('milliseconds'))),
      NODE_OPTIONS: `--require=${JSON.stringify(preload)}`,
    },
    setupFiles: ['test/support/is-another-day.ts'],
  },
})
