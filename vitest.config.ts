import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'adapters/*/test/**/*.test.ts',
      'integrations/*/test/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'sim/test/**/*.test.ts',
      'e2e/test/**/*.test.ts',
      'bench/test/**/*.test.ts',
      'tools/*.test.ts',
    ],
    testTimeout: 20_000,
    pool: 'forks',
    // Also on a machine of two cores, where one would be the default.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
})
