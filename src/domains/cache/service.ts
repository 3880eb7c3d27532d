import { AppError } from '../../errors.js'
import { humanBytes } from '../../lib/bytes.js'
import type { CacheHealth, CacheStats, CacheStore } from '../../platform/cache/cache-store.js'

/** Who runs the cache: the operator, this server, or the process itself. */
export type CacheEngine = 'external' | 'embedded' | 'in-process'

interface CacheDeps {
  readonly store: CacheStore
  readonly engine: CacheEngine
}

/** How the keys of each cache type begin. */
const PREFIXES = {
  patterns: 'pattern:',
  indicators: 'indicators:',
  sentiment: 'sentiment:',
  news: 'news:',
} as const

type CacheType = keyof typeof PREFIXES

/** What the cache holds and how well it serves. */
export class CacheService {
  readonly #deps: CacheDeps
  #running: Promise<ReturnType<typeof answer>> | null = null

  constructor(deps: CacheDeps) {
    this.#deps = deps
  }

  /**
   * Answers in every state of the cache, with null for what cannot be known. Readers who come at the
   * same time share one answer, because counting keys walks all of them.
   */
  stats() {
    this.#running ??= this.#read().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #read() {
    const { store, engine } = this.#deps
    const health = await store.health()
    if (health.state !== 'ready') return answer(engine, health, null)
    try {
      return answer(engine, health, await store.stats(Object.values(PREFIXES)))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return answer(engine, { ...(await store.health()), reason: error.message }, null)
    }
  }
}

const answer = (engine: CacheEngine, health: CacheHealth, stats: CacheStats | null) => ({
  status: health.state,
  reason: health.reason,
  since: health.since,
  engine,
  redis_info: figures(stats),
})

const figures = (stats: CacheStats | null) => ({
  used_memory: humanOrNull(stats?.used_memory_bytes),
  used_memory_bytes: stats?.used_memory_bytes ?? null,
  max_memory_bytes: stats?.max_memory_bytes ?? null,
  hit_rate: stats?.hit_rate ?? null,
  evicted_keys: stats?.evicted_keys ?? null,
  connected_clients: stats?.connected_clients ?? null,
  keys: stats?.keys ?? null,
  keys_complete: stats?.keys_complete ?? null,
  by_cache_type: {
    patterns: countOf(stats, 'patterns'),
    indicators: countOf(stats, 'indicators'),
    sentiment: countOf(stats, 'sentiment'),
    news: countOf(stats, 'news'),
  },
})

const humanOrNull = (bytes: number | null | undefined): string | null =>
  bytes == null ? null : humanBytes(bytes)

const countOf = (stats: CacheStats | null, type: CacheType): number | null =>
  stats?.keys_by_prefix.get(PREFIXES[type]) ?? null
