import { z } from 'zod'
import { instant, ratio } from '../../lib/schemas.js'
import { resourceFor } from '../../mcp/define.js'
import type { CacheService } from './service.js'

const resource = resourceFor<CacheService>()

const count = () => z.int().nonnegative().nullable()

export const cacheStats = resource({
  path: 'cache/stats',
  title: 'Cache statistics',
  description:
    'Whether the cache answers and since when, its memory, hit rate and evictions (of the whole Redis server), and the number of our keys by cache type. Figures that are not known are null. A cache that is down slows reads and loses nothing; read catalyst://db/status for the rest of the system.',
  input: z.object({}),
  output: z.object({
    status: z.enum(['ready', 'connecting', 'loading', 'down']),
    reason: z.string().nullable().describe('Why the cache or its figures are not available.'),
    since: instant().describe('When this status began.'),
    engine: z.enum(['external', 'embedded', 'in-process']),
    redis_info: z.object({
      used_memory: z.string().nullable().describe('Such as "1.2 MB".'),
      used_memory_bytes: count(),
      max_memory_bytes: count().describe('Null when there is no limit.'),
      hit_rate: ratio().nullable().describe('0-1; null when nothing was read yet.'),
      evicted_keys: count(),
      connected_clients: count().describe('Null for a cache inside the process.'),
      keys: count().describe('Keys of this system, without those of other users of the server.'),
      keys_complete: z
        .boolean()
        .nullable()
        .describe('False when counting took too long: the counts are then lower bounds.'),
      by_cache_type: z.object({
        patterns: count(),
        indicators: count(),
        sentiment: count(),
        news: count(),
      }),
    }),
  }),
  read: (_input, { service }) => service.stats(),
})
