import type { Placement } from '../../src/platform/cache/cache-store.js'

/** Where a test stores what only has to outlive it. */
export const MINUTE: Placement = { ttlSeconds: 60, tags: [] }
