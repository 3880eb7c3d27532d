import { CACHE_TYPES, type CacheType } from '../../lib/marks.js'

/** How the reads of one cache type ended. */
export interface ReadCounts {
  readonly hits: number
  readonly misses: number
}

/** Counts what this server's reads found in the cache since it started. */
export class Tally {
  readonly #hits = new Map<CacheType, number>()
  readonly #misses = new Map<CacheType, number>()
  readonly #onFailedStore: (error: unknown) => void
  #failedReads = 0
  #failedStores = 0

  /** `onFailedStore` hears why the cache did not take a value. */
  constructor(onFailedStore: (error: unknown) => void) {
    this.#onFailedStore = onFailedStore
  }

  /** Notes a read; one that the cache did not answer is neither a hit nor a miss. */
  read(type: CacheType, { isHit, isAnswered }: { isHit: boolean; isAnswered: boolean }): void {
    if (!isAnswered) this.#failedReads++
    else count(isHit ? this.#hits : this.#misses, type)
  }

  /** Notes a value that the cache did not take. */
  failedStore(error: unknown): void {
    this.#failedStores++
    this.#onFailedStore(error)
  }

  /** Everything counted so far. */
  get figures() {
    const of = (type: CacheType): ReadCounts => ({
      hits: this.#hits.get(type) ?? 0,
      misses: this.#misses.get(type) ?? 0,
    })
    return {
      by_cache_type: Object.fromEntries(CACHE_TYPES.map((type) => [type, of(type)])) as Record<
        CacheType,
        ReadCounts
      >,
      failed_reads: this.#failedReads,
      failed_stores: this.#failedStores,
    }
  }
}

const count = (counts: Map<CacheType, number>, type: CacheType): void => {
  counts.set(type, (counts.get(type) ?? 0) + 1)
}
