import type { PublishedEvent } from '../../events.js'
import type { Loops } from '../../kernel/loops.js'
import type { Clock } from '../../lib/clock.js'
import type { Marks } from '../../lib/marks.js'
import type { CacheEngine, CacheStore } from '../../platform/cache/cache-store.js'
import type { Database } from '../../platform/postgres/database.js'
import type { OwnConnection } from '../../platform/postgres/own-connection.js'
import type { Policy } from '../../policy.js'
import { Barrier } from './barrier.js'
import { Entries } from './entries.js'
import { MemoryWatch } from './memory-watch.js'
import { Outdated } from './outdated.js'
import { ReadThrough } from './read-through.service.js'
import { Removals } from './removals.js'
import { Tally } from './tally.js'

/** What a cache is kept coherent with. */
export interface CoherentCacheDeps {
  readonly store: CacheStore
  readonly engine: CacheEngine
  /** For looking at the event log; its own, so that a full pool keeps no reader waiting. */
  readonly connection: Pick<OwnConnection, 'many'>
  readonly database: Database
  readonly clock: Clock
  readonly policy: Policy['cache']
  readonly loops: Loops
}

/** A cache whose entries are served only while the event log says that they are current. */
export class CoherentCache {
  readonly barrier: Barrier
  readonly entries: Entries
  readonly reads: ReadThrough
  readonly #memory: MemoryWatch | null
  readonly tally: Tally
  readonly #outdated = new Outdated()
  readonly #removals: Removals

  constructor(deps: CoherentCacheDeps) {
    const { connection } = deps
    const outdated = this.#outdated
    this.barrier = new Barrier({ connection, outdated })
    this.entries = new Entries({ ...deps, barrier: this.barrier, outdated })
    // A cache inside the process evicts by itself and is nobody else's.
    this.#memory = deps.engine === 'in-process' ? null : new MemoryWatch(deps)
    this.tally = new Tally((error) => this.#memory?.failed(error))
    this.reads = new ReadThrough({ ...deps, entries: this.entries, tally: this.tally })
    this.#removals = new Removals({ ...deps, entries: this.entries })
  }

  /** True while the memory of the cache is nearly full. */
  get isFull(): boolean {
    return this.#memory?.isHigh === true
  }

  /** Hears of every event, in order. */
  eventsPublished(events: readonly PublishedEvent[]): void {
    this.#outdated.follow(events)
    this.#memory?.eventsPublished(events)
  }

  /** Hears what a commit of this server has outdated. */
  committed(touched: Marks | undefined): void {
    this.#removals.add(touched)
  }

  /** Tells what was removed last, and ends. */
  stop(): Promise<void> {
    return this.#removals.stop()
  }
}
