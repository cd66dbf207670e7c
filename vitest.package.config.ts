import { defineConfig } from 'vitest/config'

/** The package as it is packed, and installed in a folder outside the clone. Run by `npm run test:package`. */
export default defineConfig({
  test: {
    globalSetup: 'test/package/packed.ts',
    include: ['test/package/**/*.test.ts'],
    fileParallelism: false,
    // npm fetches what the package needs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
