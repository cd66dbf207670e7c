import { defineConfig } from 'vitest/config'

/** What the suites share that need no emulator and no browser. */
export const suite = {
  globalSetup: 'test/command/compiled.ts',
  // Ends what hangs and judges nothing: a machine may have other work.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 100_000 } },
  // Tests leave nothing behind, and a third of the time was files being read anew for each of two hundred.
  isolate: false,
  // Every core: by default one is left idle, which is half of a small machine.
  maxWorkers: '100%',
} as const

export default defineConfig({
  test: {
    ...suite,
    include: ['test/**/*.test.ts'],
    exclude: ['test/{aws,browser,command,package}/**', 'node_modules/**'],
  },
})
