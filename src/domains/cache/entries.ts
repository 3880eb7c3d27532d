import type { Clock } from '../../lib/clock.js'
import type { CacheType } from '../../lib/marks.js'
import { VERSION } from '../../lib/version.js'
import type { CacheStore } from '../../platform/cache/cache-store.js'
import type { Policy } from '../../policy.js'
import type { Barrier } from './barrier.js'
import { decode, type Entry, type EntryHeader, encode } from './entry.js'
import type { Outdated, Sight } from './outdated.js'

/** What entries are kept in and judged by. */
export interface EntriesDeps {
  readonly store: CacheStore
  readonly barrier: Barrier
  readonly outdated: Outdated
  readonly clock: Clock
  readonly policy: Policy['cache']
}

/** An entry as it was found, judged by a look at the log that began after it was asked for. */
export interface Found {
  /** Null when PostgreSQL did not answer: then nothing is current. */
  readonly sight: Sight | null
  readonly entry: Entry | null
  readonly isCurrent: boolean
  /** False when the cache did not answer, or not in time. */
  readonly isAnswered: boolean
}

/** A value to be stored. */
export interface Draft {
  readonly key: string
  readonly type: CacheType
  readonly tags: readonly string[]
  readonly origin: EntryHeader['origin']
  readonly ttlSeconds: number
  /** JSON. */
  readonly text: string
}

const NO_ANSWER = Symbol('no answer')
type Stored = string | null | typeof NO_ANSWER

/** Entries that know what they were built from; the event log decides whether they may be served. */
export class Entries {
  readonly #deps: EntriesDeps

  constructor(deps: EntriesDeps) {
    this.#deps = deps
  }

  /** Finds an entry while the log is looked at. */
  async find(key: string): Promise<Found> {
    const { barrier, outdated } = this.#deps
    const [sight, stored] = await Promise.all([barrier.pass().catch(() => null), this.#read(key)])
    const entry = typeof stored === 'string' ? decode(stored) : null
    const isCurrent =
      sight !== null &&
      entry !== null &&
      entry.header.version === VERSION &&
      outdated.isCurrent({ ...entry.header, key }, sight)
    return { sight, entry, isCurrent, isAnswered: stored !== NO_ANSWER }
  }

  /** True when a value that was built after this sight may be served to who has seen `later`. */
  isCurrent(draft: Draft, built: Sight, later: Sight): boolean {
    return this.#deps.outdated.isCurrent({ ...this.#dated(draft, built), key: draft.key }, later)
  }

  /**
   * Stores a value that was built after this sight of the log.
   *
   * @throws AppError when the cache does not take it
   */
  async store(draft: Draft, built: Sight): Promise<void> {
    const { key, ttlSeconds, tags, text } = draft
    const header = this.#dated(draft, built)
    await this.#deps.store.set(key, encode({ header, text }), { ttlSeconds, tags })
  }

  #dated(draft: Draft, { log_id, head }: Sight): EntryHeader {
    const { type, origin, ttlSeconds } = draft
    return {
      version: VERSION,
      log_id,
      seq: head,
      type,
      tags: [...draft.tags],
      origin,
      cached_at: this.#deps.clock.now().toISOString(),
      ttl_seconds: ttlSeconds,
    }
  }

  /** A cache that is slow is worse than none, so it is not waited for. */
  #read(key: string): Promise<Stored> {
    const { store, policy } = this.#deps
    return new Promise((resolve) => {
      const patience = setTimeout(() => resolve(NO_ANSWER), policy.read_wait_ms)
      store
        .get(key)
        .catch((): Stored => NO_ANSWER)
        .then((stored) => {
          clearTimeout(patience)
          resolve(stored)
        })
    })
  }
}
