import { defineConfig } from 'vitest/config'
import { marketMorning } from './test/support/market-morning.ts'

/** Against AWS emulators, one file after the other: each starts its own. Run by `npm run test:aws`. */
export default defineConfig({
  test: {
    include: ['test/aws/**/*.test.ts'],
    // The day of a run must not matter: a stack asks nobody at night or on a weekend.
    env: marketMorning(),
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
