import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import { humanBytes } from '../../lib/bytes.js'
import type { Clock } from '../../lib/clock.js'
import type { Question } from '../../lib/confirmation.js'
import { CACHE_TYPES, type CacheType, markName } from '../../lib/marks.js'
import { cursorOf, type PageKey } from '../../lib/page.js'
import type {
  CacheEngine,
  CacheHealth,
  CacheStats,
  CacheStore,
} from '../../platform/cache/cache-store.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'
import type { CacheChecks } from './checks.js'
import type { CoherentCache } from './coherent-cache.js'
import { type Draft, PATIENT_MS } from './entries.js'
import { parseJson } from './entry.js'
import { type InvalidationRequest, type Target, targetOf } from './invalidation.js'
import { PREFIXES, patternKey } from './key.js'
import type { Sight } from './outdated.js'
import type { ReadThrough } from './read-through.service.js'
import type { ReadCounts, Tally } from './tally.js'
import { type Warmed, Warming, type WarmRequest, type WarmSource } from './warming.js'

/** What the cache is made from, as its clients see it. */
export interface CacheDeps {
  readonly store: CacheStore
  readonly engine: CacheEngine
  readonly coherent: Pick<CoherentCache, 'barrier' | 'entries' | 'reads' | 'tally'>
  readonly database: Pick<Database, 'transaction'>
  readonly clock: Clock
  readonly policy: Policy['cache']
  readonly checks?: Pick<CacheChecks, 'figures'>
  /** Asks for what was committed to be published at once. */
  readonly publish: () => void
}

/** A result that a client found out. */
interface PatternResult {
  readonly symbol: string
  readonly pattern_type: string
  readonly result: Readonly<Record<string, unknown>>
  readonly ttl: number
}

interface KeysQuery {
  readonly pattern: string
  readonly limit: number
  readonly cursor?: PageKey | undefined
}

/** What was committed is published in a fraction of this, unless nothing is published at all. */
const SETTLE_MS = 2_000
const SETTLE_STEP_MS = 15

/** The cache as clients see it: what it holds, what they put in, and what they declare outdated. */
export class CacheService {
  readonly #deps: CacheDeps
  readonly #warming: Warming
  #running: Promise<ReturnType<typeof answer>> | null = null

  constructor(deps: CacheDeps) {
    this.#deps = deps
    this.#warming = new Warming({ cached: deps.coherent.reads, policy: deps.policy })
  }

  /** Where services keep answers that are worth it. */
  get reads(): ReadThrough {
    return this.#deps.coherent.reads
  }

  /** How it was filled and read when it was looked at last. */
  get figures(): CacheChecks['figures'] {
    return this.#deps.checks?.figures ?? { memoryBytes: null, hitRatio: null }
  }

  /** Says what entries of one kind are built from when the cache is warmed. */
  warmFrom(type: CacheType, source: WarmSource): void {
    this.#warming.from(type, source)
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

  /** One page of keys in the order of their names; some may be of outdated entries. */
  async keys({ pattern, limit, cursor }: KeysQuery) {
    const after = cursor?.[0] ?? null
    const { keys, total, next, complete } = await this.#deps.store.keys({ pattern, after, limit })
    return {
      keys: [...keys],
      total_matching: total,
      complete,
      next_cursor: next === null ? null : cursorOf([next]),
    }
  }

  /**
   * A cached value, as long as nothing it was built from has changed.
   *
   * @throws AppError `not_found` when there is none or it is outdated
   */
  async entry(key: string) {
    const { sight, entry, isCurrent, isAnswered } = await this.#deps.coherent.entries.find(
      key,
      PATIENT_MS,
    )
    if (!isAnswered || sight === null) {
      throw new AppError(
        'unavailable',
        isAnswered ? 'PostgreSQL did not say what is current.' : 'The cache did not answer.',
        { hint: 'Read catalyst://db/status to see what is away.' },
      )
    }
    if (entry === null || !isCurrent) {
      const message = entry === null ? 'Nothing is cached under this key.' : OUTDATED
      throw new AppError('not_found', message, {
        hint: 'Read catalyst://cache/keys for the keys there are; warm_cache builds entries.',
      })
    }
    const { header, text } = entry
    const endsMs = Date.parse(header.cached_at) + header.ttl_seconds * 1_000
    return {
      key,
      cache_type: header.type,
      value: parseJson(text) ?? null,
      cached_by: header.origin,
      cached_at: header.cached_at,
      ttl_seconds: Math.max(0, Math.ceil((endsMs - this.#deps.clock.now().getTime()) / 1_000)),
      built_from: header.seq,
    }
  }

  /** Keeps what a client found out about a pattern; a cache that does not take it is no failure. */
  async cachePatternResult({ symbol, pattern_type, result, ttl }: PatternResult) {
    const { entries, tally } = this.#deps.coherent
    const key = patternKey(symbol, pattern_type)
    const draft: Draft = {
      key,
      type: 'patterns',
      tags: [markName('patterns', symbol)],
      origin: 'client',
      ttlSeconds: ttl,
      text: JSON.stringify(result),
    }
    const sight = await this.#settled(draft)
    if (typeof sight === 'string') return { cached: false, key, reason: sight }
    try {
      await entries.store(draft, sight)
      return { cached: true, key, reason: null }
    } catch (error) {
      tally.failedStore(error)
      return { cached: false, key, reason: messageOf(error) }
    }
  }

  /** What must be confirmed: the loss of everything. */
  async questionBefore(request: InvalidationRequest): Promise<Question | null> {
    if (!targetOf(request).isEverything) return null
    const { redis_info } = await this.stats()
    const counts = CACHE_TYPES.map((type) => {
      const { keys } = redis_info.by_cache_type[type]
      return `${keys ?? 'unknown'} ${type}`
    })
    return {
      message: `This outdates everything that is cached, now ${counts.join(', ')}. Reads are slower until it is built again; nothing else is lost.`,
      // Counts change from second to second, and another plan would need another confirmation.
      plan: { invalidates: 'everything', cache_types: CACHE_TYPES },
    }
  }

  /**
   * Declares entries outdated, which holds whatever becomes of the cache, and removes them.
   *
   * @throws AppError when PostgreSQL does not take it: nothing is outdated then
   */
  async invalidate(request: InvalidationRequest, signal: AbortSignal) {
    const target = targetOf(request)
    await this.#deps.database.transaction(
      (tx) =>
        tx.emit('cache.invalidation', { cause: 'request', ...target.event, keys_deleted: null }),
      { signal },
    )
    return this.#remove(target, signal)
  }

  /** Builds entries before anybody asks for them. */
  warm(request: WarmRequest, call: Parameters<Warming['warm']>[1]): Promise<Warmed> {
    return this.#warming.warm(request, call)
  }

  async #remove({ remove }: Target, signal: AbortSignal) {
    const { store, policy } = this.#deps
    const late = AbortSignal.timeout(policy.invalidate_wait_ms)
    let keys_deleted = 0
    const count = (deleted: number): void => {
      keys_deleted += deleted
    }
    try {
      await remove(store, AbortSignal.any([signal, late]), count)
      return { keys_deleted, complete: true, reason: null }
    } catch (error) {
      const reason = late.aborted
        ? `The search for keys was stopped after ${policy.invalidate_wait_ms} ms.`
        : messageOf(error)
      return { keys_deleted, complete: false, reason: `${reason} ${STAYS_OUTDATED}` }
    }
  }

  /** A sight of the log after which this may be stored: what was committed before is published. */
  async #settled(draft: Draft): Promise<Sight | string> {
    const { coherent, publish } = this.#deps
    const { barrier, entries } = coherent
    const deadline = Date.now() + SETTLE_MS
    for (;;) {
      const sight = await barrier.pass().catch(messageOf)
      if (typeof sight === 'string' || entries.isCurrent(draft, sight, sight)) return sight
      if (Date.now() > deadline) return 'A change that came before is not published yet.'
      publish()
      await delay(SETTLE_STEP_MS)
    }
  }

  async #read() {
    const { store, engine, coherent } = this.#deps
    const health = await store.health()
    const about = (now: CacheHealth, stats: CacheStats | null) =>
      answer({ engine, health: now, stats, reads: coherent.tally.figures })
    if (health.state !== 'ready') return about(health, null)
    try {
      return about(health, await store.stats(Object.values(PREFIXES)))
    } catch (error) {
      return about({ ...(await store.health()), reason: messageOf(error) }, null)
    }
  }
}

const OUTDATED =
  'What is cached under this key is outdated: it was invalidated, or what it was built from has changed.'
const STAYS_OUTDATED = 'What is left is not served and ends by its time to live.'

/** Why something failed, if that may be shown to clients. */
function messageOf(error: unknown): string {
  if (error instanceof AppError) return error.message
  throw error
}

interface Figures {
  readonly engine: CacheEngine
  readonly health: CacheHealth
  readonly stats: CacheStats | null
  readonly reads: Tally['figures']
}

const answer = ({ engine, health, stats, reads }: Figures) => ({
  status: health.state,
  reason: health.reason,
  since: health.since,
  breaker: health.breaker,
  engine,
  failed_reads: reads.failed_reads,
  failed_stores: reads.failed_stores,
  redis_info: {
    used_memory: humanOrNull(stats?.used_memory_bytes),
    used_memory_bytes: stats?.used_memory_bytes ?? null,
    max_memory_bytes: stats?.max_memory_bytes ?? null,
    hit_rate: stats?.hit_rate ?? null,
    evicted_keys: stats?.evicted_keys ?? null,
    connected_clients: stats?.connected_clients ?? null,
    keys: stats?.keys ?? null,
    keys_complete: stats?.keys_complete ?? null,
    by_cache_type: {
      patterns: countsOf('patterns', stats, reads.by_cache_type.patterns),
      indicators: countsOf('indicators', stats, reads.by_cache_type.indicators),
      sentiment: countsOf('sentiment', stats, reads.by_cache_type.sentiment),
      news: countsOf('news', stats, reads.by_cache_type.news),
    },
  },
})

const humanOrNull = (bytes: number | null | undefined): string | null =>
  bytes == null ? null : humanBytes(bytes)

const countsOf = (type: CacheType, stats: CacheStats | null, reads: ReadCounts) => ({
  keys: stats?.keys_by_prefix.get(PREFIXES[type]) ?? null,
  ...reads,
})
