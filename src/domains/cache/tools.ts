import { z } from 'zod'
import { patternType } from '../../lib/pattern-type.js'
import { symbol } from '../../lib/schemas.js'
import { jobToolFor, toolFor } from '../../mcp/define.js'
import { cacheType, countByType, keyPattern, patternResult } from './schemas.js'
import type { CacheService } from './service.js'

const tool = toolFor<CacheService>()
const job = jobToolFor<CacheService>()

const MAX_TTL_SECONDS = 86_400
const TTL = `must be a whole number of seconds from 1 to ${MAX_TTL_SECONDS}`

export const cachePatternResult = tool({
  name: 'cache_pattern_result',
  title: 'Cache a pattern result',
  description:
    'Keeps a result about a pattern of a symbol for ttl seconds, to be read at cache/entries/{key}. The next detection or outcome of the symbol outdates it, and so does invalidate_cache. Without a cache it answers cached: false and why.',
  effect: 'write',
  idempotent: true,
  openWorld: false,
  input: z.object({
    symbol: symbol(),
    pattern_type: patternType().describe('A name.'),
    result: patternResult.describe('At most 1 MiB.'),
    ttl: z.int(TTL).min(1, TTL).max(MAX_TTL_SECONDS, TTL).default(300).describe('Seconds.'),
  }),
  output: z.object({
    cached: z.boolean(),
    key: z.string(),
    reason: z.string().nullable(),
  }),
  run: (input, { service }) => service.cachePatternResult(input),
})

export const invalidateCache = tool({
  name: 'invalidate_cache',
  title: 'Invalidate the cache',
  description:
    'Declares cached values outdated: no server serves them any more, and their keys are removed. Give exactly one of pattern, symbol, cache_type, or symbol with cache_type; "*" is everything and must be confirmed. Data is never touched.',
  effect: 'destroy',
  grant: 'db:write',
  idempotent: true,
  openWorld: false,
  input: z.object({
    pattern: keyPattern().optional().describe('A Redis glob such as pattern:AAPL:*'),
    symbol: symbol().optional(),
    cache_type: cacheType().optional().describe('All of a kind.'),
  }),
  output: z.object({
    keys_deleted: z.int().describe('What is left is not served either.'),
    complete: z.boolean(),
    reason: z.string().nullable(),
  }),
  confirm: (input, { service }) => service.questionBefore(input),
  run: (input, { service, signal }) => service.invalidate(input, signal),
})

export const warmCache = job({
  name: 'warm_cache',
  title: 'Warm the cache',
  description:
    'Builds cache entries before they are asked for: news, sentiment, indicators and patterns of each symbol. What has nothing stored is skipped with the reason. Read entries at cache/entries/{key}.',
  effect: 'write',
  idempotent: true,
  openWorld: false,
  onRestart: 'resume',
  input: z.object({
    symbols: z.array(symbol()).min(1).max(200).describe('Of whom.'),
    cache_types: z.array(cacheType().describe('A kind.')).min(1).describe('Of what.'),
  }),
  output: z.object({
    warmed_entries: z.int(),
    duration_ms: z.int(),
    by_cache_type: countByType(),
    skipped: z.array(z.object({ symbol: z.string(), cache_type: cacheType(), reason: z.string() })),
  }),
  run: (input, { service, ...call }) => service.warm(input, call),
})
