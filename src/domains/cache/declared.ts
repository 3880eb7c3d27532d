import { z } from 'zod'
import { declare, event } from '../../kernel/declare.js'
import { marks } from '../../lib/marks.js'
import { percent } from '../../lib/policy-schemas.js'

/** How the cache is used, and when its memory is a worry. */
const CACHE = z
  .strictObject({
    read_wait_ms: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe('A cache that has not answered a read by then is read past.'),
    invalidate_wait_ms: z
      .int()
      .min(1)
      .max(30_000)
      .default(5_000)
      .describe('Longest search for the keys of an invalidation; the rest ends by its TTL.'),
    warm_per_second: z
      .number()
      .positive()
      .max(10_000)
      .default(200)
      .describe('Entries that warm_cache builds in a second.'),
    memory_high_pct: percent()
      .default(80)
      .describe('Share of maxmemory from which on cache.memory.high is told.'),
    memory_ok_pct: percent().default(75).describe('Share below which that is over.'),
  })
  .refine((cache) => cache.memory_ok_pct < cache.memory_high_pct, {
    error: 'memory_ok_pct must be below memory_high_pct',
  })

/** What the cache declares. */
export const cache = declare({
  policy: {
    cache: CACHE,
  },
  events: {
    'cache.invalidation': event(
      'info',
      'Cached values were declared outdated on request, or removed after a change had outdated them.',
      z.object({
        cause: z.enum(['request', 'change']),
        /** What is outdated from here on; both are left out after a change, whose own event says it. */
        touched: marks().optional(),
        pattern: z.string().optional(),
        /** Keys removed; null on request, for that is told before they are looked for. */
        keys_deleted: z.int().nullable(),
      }),
    ),
    'cache.memory.high': event(
      'warning',
      'The memory of the cache is nearly full (on), or no longer is (off).',
      z.object({
        state: z.enum(['on', 'off']),
        /** `out_of_memory`: it refused a value. */
        cause: z.enum(['sample', 'out_of_memory']),
        used_memory_bytes: z.int().nullable(),
        max_memory_bytes: z.int().nullable(),
        /** used / max, null where one of them is not known. */
        used_share: z.number().nullable(),
      }),
    ),
  },
})
