import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/aws/**', 'test/browser/**', 'node_modules/**'],
    testTimeout: 20_000,
    // Every core: by default one is left idle, which is half of a small machine.
    maxWorkers: '100%',
  },
})
