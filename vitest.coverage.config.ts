import { defineConfig } from 'vitest/config'
import unit from './vitest.config.ts'

/**
 * How much of the domain `npm test` runs through. Floors and no goals: a line that ran need not have been tested, but in these
 * rooms one that never runs is a rule nobody has tried. Run by `npm run coverage`, which fails below a floor; each is one
 * point under what was measured when it was set.
 */
export default defineConfig({
  test: {
    ...unit.test,
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['lib/{model,ports,tokens}/**/*.ts'],
      reporter: ['text', 'html'],
      reportsDirectory: 'coverage',
      reportOnFailure: true,
      thresholds: {
        'lib/model/**': { lines: 97.9, branches: 97.5 },
        'lib/ports/**': { lines: 99, branches: 82.3 },
        'lib/tokens/**': { lines: 97.3, branches: 93.7 },
      },
    },
  },
})
