import type { Concern, Judgement, MeasuredCheck } from '../../lib/check.js'
import type { CacheMemory, CacheStore } from '../../platform/cache/cache-store.js'
import type { Policy } from '../../policy.js'
import { shareOf } from './memory-watch.js'

/** What the checks look at. */
export interface CacheCheckDeps {
  readonly store: Pick<CacheStore, 'memory'>
  readonly policy: Policy
  readonly isFull: () => boolean
}

interface Sample extends CacheMemory {
  readonly ms: number
}

/** Of fewer reads a share says nothing. */
const ENOUGH_READS = 1_000
const WINDOW_MS = 600_000
const MINUTE_MS = 60_000
const AWAY = 'The cache does not answer.'
const SILENT = 'This cache does not count it.'
const FIRST = 'It is counted between two samples, and there is one so far.'

/** How the cache is filled and read, sample by sample; counters of an engine that was restarted begin anew. */
export class CacheChecks {
  readonly #deps: CacheCheckDeps
  #samples: Sample[] = []

  constructor(deps: CacheCheckDeps) {
    this.#deps = deps
  }

  /** Memory now and hits of the last minute; null where they are not known. */
  get figures(): { readonly memoryBytes: number | null; readonly hitRatio: number | null } {
    const window = this.#window(MINUTE_MS)
    const { hits, misses } = typeof window === 'string' ? { hits: 0, misses: 0 } : window
    return {
      memoryBytes: this.#samples.at(-1)?.used_memory_bytes ?? null,
      hitRatio: hits + misses === 0 ? null : hits / (hits + misses),
    }
  }

  /** What the cache says of itself. The first of them looks; the others judge what it saw. */
  get all(): MeasuredCheck[] {
    return [
      { name: 'redis_memory', isSettled: true, measure: () => this.#memory() },
      { name: 'redis_evictions', measure: () => this.#evictions() },
      { name: 'redis_hit_ratio', measure: () => this.#hitRatio() },
    ]
  }

  async #memory(): Promise<Judgement> {
    const memory = await this.#deps.store.memory().catch(() => null)
    if (memory === null) {
      this.#samples = []
      return { unknown: AWAY }
    }
    this.#remember(memory)
    const { memory_high_pct } = this.#deps.policy.cache
    const threshold = memory_high_pct / 100
    const share = shareOf(memory)
    const value = share === null ? 'no limit' : Math.round(share * 1_000) / 1_000
    if (!this.#deps.isFull()) return { value, threshold, concerns: [] }
    const { used_memory_bytes, max_memory_bytes } = memory
    const concern: Concern = {
      severity: 'warning',
      object: null,
      title: 'The memory of the cache is nearly full.',
      evidence: { used_memory_bytes, max_memory_bytes, used_share: share },
      threshold,
      next_step:
        'Give Redis more memory, or a maxmemory-policy that drops old entries; the database is not affected, it only has more to do.',
      tool: { name: 'read_resource', arguments: { uri: 'cache/stats' } },
    }
    return { value, threshold, concerns: [concern] }
  }

  #evictions(): Judgement {
    const window = this.#window(MINUTE_MS)
    if (typeof window === 'string') return { unknown: window }
    const { redis_evictions_per_minute: threshold } = this.#deps.policy.monitoring
    const value = window.evicted
    if (value < threshold) return { value, threshold, concerns: [] }
    const concern: Concern = {
      severity: 'warning',
      object: null,
      title: `The cache dropped ${value} entries in the last minute for want of memory.`,
      evidence: { evicted_last_minute: value, used_memory_bytes: this.figures.memoryBytes },
      threshold,
      next_step: 'Raise maxmemory, or let entries live shorter.',
      tool: { name: 'read_resource', arguments: { uri: 'cache/stats' } },
    }
    return { value, threshold, concerns: [concern] }
  }

  #hitRatio(): Judgement {
    const window = this.#window(WINDOW_MS)
    if (typeof window === 'string') return { unknown: window }
    const { redis_hit_pct } = this.#deps.policy.monitoring
    const threshold = redis_hit_pct / 100
    const reads = window.hits + window.misses
    const value = reads === 0 ? null : Math.round((window.hits / reads) * 1_000) / 1_000
    if (value === null || reads < ENOUGH_READS || value >= threshold) {
      return { value, threshold, concerns: [] }
    }
    const concern: Concern = {
      // A cache is only a cache: of itself it is never critical.
      severity: 'warning',
      object: null,
      title: `${Math.round(value * 1_000) / 10} % of ${reads} reads of Redis found something in the last ten minutes.`,
      evidence: { hits: window.hits, misses: window.misses, ratio: value },
      threshold,
      next_step: 'Warm what is read most; all applications that use this Redis are counted.',
      tool: { name: 'warm_cache', arguments: {} },
      afterMs: MINUTE_MS,
    }
    return { value, threshold, concerns: [concern] }
  }

  #remember(memory: CacheMemory): void {
    const last = this.#samples.at(-1)
    if (last && (memory.hits ?? 0) < (last.hits ?? 0)) this.#samples = []
    const ms = performance.now()
    this.#samples.push({ ...memory, ms })
    const first = this.#samples.findIndex((one) => ms - one.ms <= WINDOW_MS)
    if (first > 0) this.#samples.splice(0, first)
  }

  #window(windowMs: number) {
    const newest = this.#samples.at(-1)
    if (!newest) return AWAY
    const from = this.#samples.find(({ ms }) => newest.ms - ms <= windowMs)
    if (!from || from === newest) return FIRST
    if (newest.hits === null || newest.misses === null || newest.evicted_keys === null)
      return SILENT
    return {
      hits: newest.hits - (from.hits ?? 0),
      misses: newest.misses - (from.misses ?? 0),
      evicted: newest.evicted_keys - (from.evicted_keys ?? 0),
    }
  }
}
