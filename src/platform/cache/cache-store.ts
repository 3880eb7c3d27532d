import { AppError } from '../../errors.js'

/** Who runs the cache: the operator, this server, or the process itself. */
export type CacheEngine = 'external' | 'embedded' | 'in-process'

/** `connecting` is only the first attempt; a cache that was lost is `down` until it answers again. */
export type CacheState = 'ready' | 'connecting' | 'loading' | 'down'

/** `open`: calls fail at once, as those before them had no answer; `half_open`: one call finds out. */
export type BreakerState = 'closed' | 'open' | 'half_open'

/** Whether the cache answers, since when, and if not, why: a text that may be shown to clients. */
export interface CacheHealth {
  readonly state: CacheState
  readonly since: string
  readonly reason: string | null
  readonly breaker: BreakerState
}

/** Figures as the engine reports them; null is what it does not know or what has no meaning there. */
export interface CacheStats {
  readonly used_memory_bytes: number | null
  /** Null when there is no limit. */
  readonly max_memory_bytes: number | null
  /** 0-1; null as long as nothing was read. */
  readonly hit_rate: number | null
  readonly evicted_keys: number | null
  readonly connected_clients: number | null
  /** Keys of our namespace only. */
  readonly keys: number
  readonly keys_by_prefix: ReadonlyMap<string, number>
  /** False when counting was stopped by its time limit: the counts are then lower bounds. */
  readonly keys_complete: boolean
  /** Counting many keys is not repeated at every reading. */
  readonly keys_counted_at: string
}

/** The memory of an engine; `CacheStats` says the same of it. */
export interface CacheMemory extends Pick<CacheStats, 'used_memory_bytes' | 'max_memory_bytes'> {
  /** Reads that found something and that did not, and entries dropped for want of room, since the engine started. */
  readonly hits: number | null
  readonly misses: number | null
  readonly evicted_keys: number | null
  /** At its limit it drops entries like ours instead of refusing new ones; null where that is not known. */
  readonly evicts: boolean | null
}

/** Called after each step of a deletion with the number of keys it deleted. */
export type Deleted = (count: number) => void

/** Which keys to list: at most `limit` of those that match and sort after `after`. */
export interface KeyQuery {
  readonly pattern: string
  readonly after: string | null
  readonly limit: number
}

/** How long an entry lives, in whole seconds, and the tags it can be deleted by. */
export interface Placement {
  readonly ttlSeconds: number
  readonly tags: readonly string[]
}

/** One page of keys in ascending order. */
export interface KeyPage {
  readonly keys: readonly string[]
  /** Matching keys on all pages together. */
  readonly total: number
  /** The `after` of the next page; null at the end. */
  readonly next: string | null
  /** False when the walk was stopped by its time limit: keys may be missing. */
  readonly complete: boolean
}

/**
 * A cache of text under one namespace. Keys and values are well-formed Unicode, NUL included; keys
 * are named without the namespace, and nothing outside it is read, listed or deleted. Patterns are
 * Redis globs (`*`, `?`, `[...]`, `\`). An engine that does not answer is `AppError('unavailable')`.
 */
export interface CacheStore {
  /** The value, or null when there is none or it has expired. */
  get(key: string): Promise<string | null>
  /** The values in the order of the keys. */
  mget(keys: readonly string[]): Promise<(string | null)[]>
  /**
   * Stores a value of at most `MAX_VALUE_BYTES` for 1 to `MAX_TTL_SECONDS`: an entry without an end
   * is a leak.
   */
  set(key: string, value: string, placement: Placement): Promise<void>
  /** Deletes keys by name; the number that existed. */
  delete(keys: readonly string[]): Promise<number>
  /**
   * Deletes every matching key that exists during the whole call; the number deleted. It walks all
   * keys in small steps, so that nobody else waits for it, and stops between steps when aborted.
   */
  deleteByPattern(pattern: string, signal?: AbortSignal, deleted?: Deleted): Promise<number>
  /**
   * Deletes the entries stored under a tag, in small steps; the number that existed. It costs what
   * the tag's entries cost, whatever else is cached. An entry that was stored again without the tag
   * may go too.
   */
  deleteByTag(tag: string, signal?: AbortSignal, deleted?: Deleted): Promise<number>
  /** Those of the tags that something may be stored under: of many, mostly none or few. */
  usedTags(tags: readonly string[]): Promise<readonly string[]>
  /** Names the entries stored under a tag, in small steps; one may be gone, or come twice. */
  tagged(tag: string): AsyncIterable<readonly string[]>
  /**
   * Lists keys by name order, so that a key which exists during the whole paging comes exactly once
   * whatever is written meanwhile. Each page walks all keys in small steps, within a time limit.
   */
  keys(query: KeyQuery): Promise<KeyPage>
  /** The engine's figures, and our keys counted by how they begin, within a time limit. */
  stats(prefixes: readonly string[]): Promise<CacheStats>
  /** The engine's memory alone, without a walk over keys. */
  memory(): Promise<CacheMemory>
  /** Asks the engine whether it answers; never rejects. */
  health(): Promise<CacheHealth>
  /** Lets the engine go; what is in flight fails. */
  close(): Promise<void>
}

/** The longest life of an entry: one day. */
export const MAX_TTL_SECONDS = 86_400

/** The largest value, in bytes of UTF-8: larger ones keep other clients of the engine waiting. */
export const MAX_VALUE_BYTES = 8 * 1024 * 1024

/**
 * Refuses lifetimes that an engine would take as "for ever", "at once" or not at all, and values
 * that are too large; answers the value's bytes.
 */
export function checkEntry(value: string, { ttlSeconds }: Placement): number {
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS) {
    throw new AppError(
      'invalid_input',
      `The time to live must be a whole number of seconds from 1 to ${MAX_TTL_SECONDS}.`,
    )
  }
  const bytes = Buffer.byteLength(value)
  if (bytes <= MAX_VALUE_BYTES) return bytes
  throw new AppError(
    'invalid_input',
    `The value has ${bytes} bytes; a cache entry may have ${MAX_VALUE_BYTES}.`,
    { hint: 'Store a smaller result.' },
  )
}
