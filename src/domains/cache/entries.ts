import type { Clock } from '../../lib/clock.js'
import type { CacheType } from '../../lib/marks.js'
import { instantText } from '../../lib/utc-text.js'
import { VERSION } from '../../lib/version.js'
import type { CacheStore } from '../../platform/cache/cache-store.js'
import type { Barrier } from './barrier.js'
import { decode, type Entry, type EntryHeader, encode } from './entry.js'
import type { Outdated, Sight } from './outdated.js'

/** What entries are kept in and judged by. */
export interface EntriesDeps {
  readonly store: CacheStore
  readonly barrier: Barrier
  readonly outdated: Outdated
  readonly clock: Clock
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

/** Values may have megabytes. */
const KEYS_AT_ONCE = 10
/** For whoever wants this very entry; an engine that answers at all has answered by then. */
export const PATIENT_MS = 2_000
const NO_ANSWER = Symbol('no answer')
type Stored = string | null | typeof NO_ANSWER

/** Entries that know what they were built from; the event log decides whether they may be served. */
export class Entries {
  readonly #deps: EntriesDeps

  constructor(deps: EntriesDeps) {
    this.#deps = deps
  }

  /** Finds an entry while the log is looked at; a cache that is slow is waited for so long. */
  async find(key: string, waitMs: number): Promise<Found> {
    const { barrier } = this.#deps
    const [sight, stored] = await Promise.all([
      barrier.pass().catch(() => null),
      this.#read(key, waitMs),
    ])
    const entry = typeof stored === 'string' ? decode(stored) : null
    const isCurrent = sight !== null && entry !== null && this.#isCurrent(key, entry, sight)
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

  /** Removes the entries under these tags that are outdated; answers how many. */
  async removeOutdated(tags: readonly string[]): Promise<number> {
    let removed = 0
    for (const tag of await this.#deps.store.usedTags(tags)) removed += await this.#clean(tag)
    return removed
  }

  async #clean(tag: string): Promise<number> {
    const { store, barrier } = this.#deps
    const sight = await barrier.pass()
    let removed = 0
    for await (const keys of store.tagged(tag)) {
      for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
        const outdated = await this.#outdatedOf(keys.slice(at, at + KEYS_AT_ONCE), sight)
        // One that is stored anew in this instant may go with them; it is built again when asked for.
        removed += await store.delete(outdated)
      }
    }
    return removed
  }

  async #outdatedOf(keys: readonly string[], sight: Sight): Promise<string[]> {
    const values = await this.#deps.store.mget(keys)
    return keys.filter((key, index) => {
      const entry = decode(values[index] ?? '')
      return entry !== null && !this.#isCurrent(key, entry, sight)
    })
  }

  #isCurrent(key: string, { header }: Entry, sight: Sight): boolean {
    return header.version === VERSION && this.#deps.outdated.isCurrent({ ...header, key }, sight)
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
      cached_at: instantText(this.#deps.clock.now()),
      ttl_seconds: ttlSeconds,
    }
  }

  #read(key: string, waitMs: number): Promise<Stored> {
    const { store } = this.#deps
    return new Promise((resolve) => {
      const patience = setTimeout(() => resolve(NO_ANSWER), waitMs)
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
