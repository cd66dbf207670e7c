import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { suite } from './vitest.config.ts'

/** The command line as people start it: real processes, terminals, signals, disks. Run by `npm run test:command`. */
export default defineConfig({
  test: {
    ...suite,
    include: ['test/command/**/*.test.ts'],
    // Most of the time is the processes' own, and some of them wait.
    maxWorkers: 2 * availableParallelism(),
  },
})
