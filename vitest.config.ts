import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.js'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/conformance/**'],
    globalSetup: ['test/support/services.ts'],
    setupFiles: ['test/support/every-file.ts'],
    // Every test file has a database of its own; three at a time is what two cores carry, for many wait.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Modules are loaded once a worker instead of once a file: none keeps what one test leaves for another.
    isolate: false,
    unstubEnvs: true,
    // Guards against a test that never ends, not against a busy machine.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    restoreMocks: true,
  },
})
