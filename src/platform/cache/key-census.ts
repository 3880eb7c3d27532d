import type { Clock } from '../../lib/clock.js'
import { instantText } from '../../lib/utc-text.js'
import type { CacheStats } from './cache-store.js'

/** How many keys there are, and when they were counted. */
export type KeyCounts = Pick<
  CacheStats,
  'keys' | 'keys_by_prefix' | 'keys_complete' | 'keys_counted_at'
>

/** Shows all keys step by step; false when it was stopped before the end. */
type Walk = (visit: (keys: readonly string[]) => void) => Promise<boolean>

/** A walk of more steps is not repeated for a while. */
const SHORT_WALK_STEPS = 100
const LONG_WALK_HOLDS_MS = 15_000

/** Counts keys by walking all of them; what took many steps is told again for 15 s. */
export class KeyCensus {
  readonly #clock: Clock
  #latest: { counts: KeyCounts; holdsUntil: number } | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async count(prefixes: readonly string[], walk: Walk): Promise<KeyCounts> {
    const latest = this.#latest
    if (latest && performance.now() < latest.holdsUntil) return latest.counts
    const byPrefix = new Map(prefixes.map((prefix) => [prefix, 0]))
    let [total, steps] = [0, 0]
    const complete = await walk((keys) => {
      steps += 1
      total += keys.length
      for (const [prefix, count] of byPrefix) {
        byPrefix.set(prefix, count + keys.filter((key) => key.startsWith(prefix)).length)
      }
    })
    const counts = {
      keys: total,
      keys_by_prefix: byPrefix,
      keys_complete: complete,
      keys_counted_at: instantText(this.#clock.now()),
    }
    const holdsMs = steps > SHORT_WALK_STEPS ? LONG_WALK_HOLDS_MS : 0
    this.#latest = { counts, holdsUntil: performance.now() + holdsMs }
    return counts
  }
}
