import { defineConfig } from 'vitest/config'

/** Against AWS emulators, one file after the other: each starts its own. Run by `npm run test:aws`. */
export default defineConfig({
  test: {
    include: ['test/aws/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
