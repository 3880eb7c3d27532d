import type { StatementCounters, StatementSnapshot } from './statements.sql.js'

/** What one statement did in a while. */
export interface StatementUse extends StatementCounters {
  readonly mean_ms: number
  /** When this server saw it first; null when it was there before. */
  readonly first_seen: Date | null
}

/** All statements of a while. */
export interface Use {
  readonly since: Date
  readonly seconds: number
  /** False after evictions: what was dropped meanwhile is not in it. */
  readonly complete: boolean
  readonly statements: readonly StatementUse[]
  readonly total_ms: number
  readonly calls: number
  readonly block_size: number
}

interface Taken {
  readonly snapshot: StatementSnapshot
  readonly at: Date
  readonly ms: number
}

/** Snapshots are kept a minute apart for ten minutes, and two hours apart for a day: there may be thousands of statements in each. */
const MINUTE_MS = 60_000
const RECENT_MS = 11 * MINUTE_MS
const STEP_MS = 120 * MINUTE_MS
const MAX_REMEMBERED = 20_000
/** Of less a mean says little. */
const BASELINE_MS = 30 * MINUTE_MS
const KEPT_MS = 25 * 60 * MINUTE_MS

/**
 * Counters of statements over time. Only differences count: what was before this server began to look, or
 * before the statistics were reset, is nobody's slow statement of today.
 */
export class StatementDeltas {
  readonly #recent: Taken[] = []
  readonly #old: Taken[] = []
  readonly #firstSeen = new Map<string, Date | null>()
  #reset = ''

  /** Takes a snapshot; after a reset everything before it is forgotten. */
  feed(snapshot: StatementSnapshot, at: Date, ms: number): void {
    const last = this.#recent.at(-1)?.snapshot
    if (snapshot.stats_reset !== this.#reset || (last && hasShrunk(last, snapshot))) {
      this.#recent.length = 0
      this.#old.length = 0
      this.#reset = snapshot.stats_reset
    }
    const seen = this.#recent.length === 0 ? null : at
    for (const { key } of snapshot.statements) {
      if (!this.#firstSeen.has(key)) this.#firstSeen.set(key, seen)
    }
    if (this.#firstSeen.size > MAX_REMEMBERED) this.#forget(snapshot)
    const [before, newest] = this.#recent.slice(-2)
    if (before && newest && newest.ms - before.ms < MINUTE_MS) this.#recent.pop()
    this.#recent.push({ snapshot, at, ms })
    while (this.#recent.length > 1 && ms - (this.#recent[0]?.ms ?? ms) > RECENT_MS) {
      const taken = this.#recent.shift()
      const older = this.#old.at(-1)
      if (taken && (!older || taken.ms - older.ms >= STEP_MS)) this.#old.push(taken)
    }
    while (ms - (this.#old[0]?.ms ?? ms) > KEPT_MS) this.#old.shift()
  }

  /** The use of the last so many seconds, or of as long as was looked; null before the second snapshot. */
  use(seconds: number): Use | null {
    const newest = this.#recent.at(-1)
    if (!newest) return null
    const from = [...this.#old, ...this.#recent].find(({ ms }) => newest.ms - ms <= seconds * 1_000)
    return from && from !== newest ? this.#between(from, newest) : null
  }

  /** Everything since the statistics were reset, however long that was before this server began to look. */
  sinceReset(): Use | null {
    const newest = this.#recent.at(-1)
    if (!newest) return null
    const { at_ms, stats_reset, evictions } = newest.snapshot
    const reset = Date.parse(stats_reset.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'))
    const since = Number.isNaN(reset) ? at_ms : reset
    const nothing = { ...newest.snapshot, evictions: 0, statements: [] }
    const from = { snapshot: nothing, at: new Date(since), ms: newest.ms - (at_ms - since) }
    return { ...this.#between(from, newest), complete: evictions === 0 }
  }

  /** How long this server has looked, in seconds. */
  get seconds(): number {
    const first = this.#old[0] ?? this.#recent[0]
    return ((this.#recent.at(-1)?.ms ?? 0) - (first?.ms ?? 0)) / 1_000
  }

  /** The use of the day before the last ten minutes, which later use is compared with. */
  baseline(): Use | null {
    const newest = this.#recent.at(-1)
    const first = this.#old[0]
    const until = this.#recent[0]
    if (!first || !newest || !until || until.ms - first.ms < BASELINE_MS) return null
    return this.#between(first, until)
  }

  #between(from: Taken, to: Taken): Use {
    const before = new Map(from.snapshot.statements.map((one) => [one.key, one]))
    const statements = to.snapshot.statements.flatMap((after) => {
      const used = difference(after, before.get(after.key))
      if (used.calls <= 0) return []
      const first_seen = this.#firstSeen.get(after.key) ?? null
      return [{ ...used, mean_ms: used.total_ms / used.calls, first_seen }]
    })
    return {
      since: from.at,
      seconds: (to.ms - from.ms) / 1_000,
      complete: from.snapshot.evictions === to.snapshot.evictions,
      statements,
      total_ms: statements.reduce((sum, { total_ms }) => sum + total_ms, 0),
      calls: statements.reduce((sum, { calls }) => sum + calls, 0),
      block_size: to.snapshot.block_size,
    }
  }

  #forget(snapshot: StatementSnapshot): void {
    const present = new Set(snapshot.statements.map(({ key }) => key))
    for (const key of this.#firstSeen.keys()) if (!present.has(key)) this.#firstSeen.delete(key)
  }
}

/** A statement that was evicted and came again counts from nothing. */
function difference(after: StatementCounters, before: StatementCounters | undefined) {
  if (!before || before.calls > after.calls) return after
  return {
    ...after,
    calls: after.calls - before.calls,
    total_ms: after.total_ms - before.total_ms,
    rows: after.rows - before.rows,
    blocks_hit: after.blocks_hit - before.blocks_hit,
    blocks_read: after.blocks_read - before.blocks_read,
    temp_blocks: after.temp_blocks - before.temp_blocks,
  }
}

/** Evictions that were counted are fewer again: another server answers, or the same one after a crash. */
const hasShrunk = (last: StatementSnapshot, now: StatementSnapshot): boolean =>
  now.evictions < last.evictions

/** The time that so great a share of all calls stayed below, each statement counted by its mean. */
export function percentile(use: Use, share: number): number | null {
  const sorted = [...use.statements].sort((a, b) => a.mean_ms - b.mean_ms)
  let left = use.calls * share
  for (const { calls, mean_ms } of sorted) {
    left -= calls
    if (left <= 0) return mean_ms
  }
  return sorted.at(-1)?.mean_ms ?? null
}
