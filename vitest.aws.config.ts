import { defineConfig } from 'vitest/config'
import { marketMorning } from './test/support/market-morning.ts'

/** The tests that deploy the stack and let its functions run by the host's clock alone. */
const DEPLOYING = ['test/aws/deploy.test.ts', 'test/aws/login.test.ts', 'test/aws/upgrade.test.ts']

/** Against AWS emulators, one file after the other: each starts its own. Run by `npm run test:aws`. */
export default defineConfig({
  test: {
    globalSetup: 'test/command/compiled.ts',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'parts', include: ['test/aws/**/*.test.ts'], exclude: DEPLOYING } },
      {
        extends: true,
        // The day of a run must not matter: a stack asks nobody at night or on a weekend. Only here: the emulators stay on
        // the host's own day, and a client of AWS that finds itself days ahead of a refusal sends its call again.
        test: { name: 'deployed', include: DEPLOYING, env: marketMorning() },
      },
    ],
  },
})
