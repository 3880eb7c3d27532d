import type { PublishedEvent } from '../../events.js'
import type { Loop, Loops } from '../../kernel/loops.js'
import type { CacheMemory, CacheStore } from '../../platform/cache/cache-store.js'
import { isOutOfMemory } from '../../platform/cache/redis-errors.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'
import * as conditions from './conditions.sql.js'

/** What the watch looks at, and where it tells. */
export interface MemoryWatchDeps {
  readonly store: Pick<CacheStore, 'memory'>
  readonly database: Pick<Database, 'transaction' | 'maybeOne'>
  readonly policy: Policy['cache']
  readonly loops: Loops
  readonly sampleMs?: number
}

type Cause = 'sample' | 'out_of_memory'

const CONDITION = 'cache.memory.high'
const SAMPLE_MS = 10_000
/** Samples in a row: one may fall into a moment that says nothing. */
const SAMPLES_ON = 2
const SAMPLES_OFF = 3

/**
 * Tells when the memory of the cache runs out and when that is over, once each, however many servers
 * look at it: the state is a row that one of them changes in the transaction of the event.
 */
export class MemoryWatch {
  readonly #deps: MemoryWatchDeps
  readonly #sampleMs: number
  readonly #loop: Loop
  /** Null until the database has said so. */
  #isOn: boolean | null = null
  #hasRefused = false
  #high = 0
  #low = 0

  constructor(deps: MemoryWatchDeps) {
    this.#deps = deps
    this.#sampleMs = deps.sampleMs ?? SAMPLE_MS
    const timing = { everyMs: this.#sampleMs }
    this.#loop = deps.loops.every('the watch over the memory of the cache', timing, () =>
      this.#look(),
    )
  }

  /** True while memory is high. */
  get isHigh(): boolean {
    return this.#isOn === true
  }

  /** Hears what other servers have told. */
  eventsPublished(events: readonly PublishedEvent[]): void {
    for (const { type, data } of events) {
      if (type === CONDITION) this.#note(data.state === 'on')
    }
  }

  /** Hears why the cache did not take a value; a cache without memory is told of at once. */
  failed(error: unknown): void {
    if (!isOutOfMemory(error)) return
    this.#low = 0
    if (this.#isOn) return
    this.#hasRefused = true
    this.#loop.wake()
  }

  async #look(): Promise<void> {
    const { database, policy } = this.#deps
    if (this.#isOn === null) {
      const known = await database.maybeOne(conditions.readCondition(CONDITION))
      // It may have been told meanwhile.
      this.#isOn ??= known?.is_on ?? false
    }
    const memory = await this.#memory()
    if (this.#hasRefused && !this.#isOn) await this.#begin('out_of_memory', memory)
    this.#hasRefused = false
    const pressure = pressureOf(memory)
    if (pressure === null) return
    this.#high = pressure * 100 >= policy.memory_high_pct ? this.#high + 1 : 0
    this.#low = pressure * 100 < policy.memory_ok_pct ? this.#low + 1 : 0
    if (!this.#isOn && this.#high >= SAMPLES_ON) await this.#begin('sample', memory)
    if (this.#isOn && this.#low >= SAMPLES_OFF) await this.#end(memory)
  }

  #begin(cause: Cause, memory: CacheMemory): Promise<void> {
    return this.#flip(conditions.begin(CONDITION), { state: 'on', cause, memory })
  }

  #end(memory: CacheMemory): Promise<void> {
    const heldMs = (SAMPLES_OFF - 1) * this.#sampleMs
    return this.#flip(conditions.end(CONDITION, heldMs), { state: 'off', cause: 'sample', memory })
  }

  async #flip(
    change: ReturnType<typeof conditions.begin>,
    told: { readonly state: 'on' | 'off'; readonly cause: Cause; readonly memory: CacheMemory },
  ): Promise<void> {
    const { state, cause, memory } = told
    const { used_memory_bytes, max_memory_bytes } = memory
    const figures = { used_memory_bytes, max_memory_bytes, used_share: shareOf(memory) }
    const data = { state, cause, ...figures }
    const isFirst = await this.#deps.database.transaction(async (tx) => {
      if ((await tx.run(change)) === 0) return false
      await tx.emit(CONDITION, data)
      return true
    })
    if (isFirst) this.#note(state === 'on')
  }

  #note(isOn: boolean): void {
    this.#isOn = isOn
    this.#low = 0
    this.#high = 0
  }

  /** Null where it is not known: without memory to count there is nothing to tell. */
  #memory(): Promise<CacheMemory> {
    return this.#deps.store.memory().catch(() => UNKNOWN)
  }
}

const UNKNOWN: CacheMemory = {
  used_memory_bytes: null,
  max_memory_bytes: null,
  evicts: null,
  hits: null,
  misses: null,
  evicted_keys: null,
}

/**
 * How close the cache is to refusing values: one without a limit never does, and one that drops what
 * is old is full for most of its life. Null where the memory is not known.
 */
const pressureOf = (memory: CacheMemory): number | null => {
  if (memory.used_memory_bytes === null) return null
  return memory.evicts ? 0 : (shareOf(memory) ?? 0)
}

/** Used, of what there is; null where one of them is not known. */
export const shareOf = ({
  used_memory_bytes: used,
  max_memory_bytes: max,
}: CacheMemory): number | null => (used === null || max === null ? null : used / max)
