import type { PublishedEvent } from '../../events.js'
import type { Clock } from '../../lib/clock.js'
import type { Marks } from '../../lib/marks.js'
import type { CacheStore } from '../../platform/cache/cache-store.js'
import type { Log } from '../../platform/log.js'
import type { Database } from '../../platform/postgres/database.js'
import type { WorkerConnection } from '../../platform/postgres/worker-connection.js'
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
  /** For looking at the event log; its own, so that a full pool keeps no reader waiting. */
  readonly connection: Pick<WorkerConnection, 'many'>
  readonly database: Database
  readonly clock: Clock
  readonly policy: Policy['cache']
  readonly log: Log
}

/** A cache whose entries are served only while the event log says that they are current. */
export class CoherentCache {
  readonly barrier: Barrier
  readonly entries: Entries
  readonly reads: ReadThrough
  readonly memory: MemoryWatch
  readonly tally: Tally
  readonly #outdated = new Outdated()
  readonly #removals: Removals

  constructor(deps: CoherentCacheDeps) {
    const { connection } = deps
    const outdated = this.#outdated
    this.barrier = new Barrier({ connection, outdated })
    this.entries = new Entries({ ...deps, barrier: this.barrier, outdated })
    this.memory = new MemoryWatch(deps)
    this.tally = new Tally((error) => this.memory.failed(error))
    this.reads = new ReadThrough({ ...deps, entries: this.entries, tally: this.tally })
    this.#removals = new Removals({ ...deps, entries: this.entries })
  }

  /** Hears of every event, in order. */
  eventsPublished(events: readonly PublishedEvent[]): void {
    this.#outdated.follow(events)
    this.memory.eventsPublished(events)
  }

  /** Hears what a commit of this server has outdated. */
  committed(touched: Marks | undefined): void {
    this.#removals.add(touched)
  }

  /** Tells what was removed last, and ends. */
  async stop(): Promise<void> {
    await this.memory.stop()
    await this.#removals.stop()
  }
}
