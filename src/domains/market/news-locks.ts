import { fnv1a } from './fnv.js'
import type { LockKeys } from './news.sql.js'

/** First keys of the two-integer advisory locks; nothing else in this schema uses them. */
const STORY_LOCKS = 7301
const SECURITY_LOCKS = 7302

/**
 * Keys per space: a full batch holds at most 2 · 1024 locks, which fits the lock table of a
 * PostgreSQL with default settings, and two unrelated single stories meet once in a thousand times.
 */
const SHARDS = 1024

const sortedShards = (hashes: readonly number[]): number[] =>
  [...new Set(hashes.map((hash) => hash % SHARDS))].sort((a, b) => a - b)

interface Lockable {
  readonly norm_hash: number
  readonly symbol: string | null
}

/**
 * The locks under which no other call can add a story that these would repeat (same norm) or resemble
 * (same security). Every call takes them in this one order, so no two can wait for each other.
 */
export function lockKeys(told: readonly Lockable[]): LockKeys {
  const stories = sortedShards(told.map(({ norm_hash }) => norm_hash))
  const symbols = new Set(told.flatMap(({ symbol }) => symbol ?? []))
  const securities = sortedShards([...symbols].map(fnv1a))
  return {
    classes: [...stories.map(() => STORY_LOCKS), ...securities.map(() => SECURITY_LOCKS)],
    keys: [...stories, ...securities],
  }
}
