import type { KeyPage, KeyQuery } from './cache-store.js'

/**
 * Picks one page out of all matching keys, which arrive in any order and perhaps twice (SCAN may
 * repeat a key while its table is resized). Memory follows the page, not the number of keys.
 */
export class KeyPager {
  readonly #after: string | null
  readonly #limit: number
  #candidates = new Set<string>()
  #hasMore = false
  #total = 0

  constructor({ after, limit }: KeyQuery) {
    this.#after = after
    this.#limit = limit
  }

  add(keys: readonly string[]): void {
    this.#total += keys.length
    for (const key of keys) {
      if (this.#after === null || key > this.#after) this.#candidates.add(key)
    }
    if (this.#candidates.size > this.#limit * 4) this.#trim()
  }

  page(complete: boolean): KeyPage {
    const keys = this.#trim()
    const next = this.#hasMore ? (keys.at(-1) ?? null) : null
    return { keys, total: this.#total, next, complete }
  }

  #trim(): string[] {
    const sorted = [...this.#candidates].sort(byCodeUnit)
    const keys = sorted.slice(0, this.#limit)
    this.#hasMore ||= sorted.length > this.#limit
    this.#candidates = new Set(keys)
    return keys
  }
}

/** The order of `>` above; a locale's order would not agree with it. */
const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
