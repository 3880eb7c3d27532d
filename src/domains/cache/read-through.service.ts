import type { z } from 'zod'
import { type CacheType, markName, NO_SYMBOL } from '../../lib/marks.js'
import type { Policy } from '../../policy.js'
import { type Draft, type Entries, type Found, PATIENT_MS } from './entries.js'
import { parseJson } from './entry.js'
import { PREFIXES } from './key.js'
import { Loads } from './loads.js'
import type { Sight } from './outdated.js'
import type { Tally } from './tally.js'

/** A value that can be built from the database. */
export interface Buildable<T> {
  readonly type: CacheType
  /** The key without the beginning that all of its type have. */
  readonly name: string
  load(): Promise<T>
  /** Whose changes outdate the answer; null stands for no symbol. */
  symbolsOf(answer: T): Iterable<string | null>
  /** False for an answer that is not worth a place in the cache, such as an empty list. */
  isKept(answer: T): boolean
}

/** A read whose answer is worth keeping. */
export interface Cacheable<T> extends Buildable<T> {
  /** What an answer looks like; what is stored otherwise is not served. */
  readonly schema: z.ZodType<T>
}

/** A value with the sight of the log that it was built after. */
interface Loaded {
  readonly value: unknown
  readonly draft: Draft
  readonly sight: Sight
}

/** How long entries live, in seconds. */
const TTL_SECONDS: Readonly<Record<CacheType, number>> = {
  patterns: 300,
  indicators: 300,
  sentiment: 300,
  news: 3_600,
}
/** Entries that were stored together must not all end together. */
const JITTER = 0.1

interface ReadThroughDeps {
  readonly entries: Entries
  readonly tally: Tally
  readonly policy: Policy['cache']
}

/**
 * Serves answers from the cache as long as they are what the database would answer, and else loads
 * and stores them. No reader gets an answer older than a write that was acknowledged before he asked.
 */
export class ReadThrough {
  readonly #deps: ReadThroughDeps
  readonly #loads = new Loads<Loaded>()

  constructor(deps: ReadThroughDeps) {
    this.#deps = deps
  }

  /** The answer; a cache that fails or is slow only makes it slower. */
  async read<T>(wanted: Cacheable<T>): Promise<T> {
    const { entries, tally, policy } = this.#deps
    const arrived = this.#loads.arrive()
    const key = keyOf(wanted)
    // A cache that is slow is worse than none.
    const found = await entries.find(key, policy.read_wait_ms)
    const cached = servable(found, wanted)
    tally.read(wanted.type, { isHit: cached !== null, isAnswered: found.isAnswered })
    if (cached !== null) return cached.value
    const { sight } = found
    // Nobody can say what is current: whoever can, the database, is asked for each reader.
    if (sight === null) return wanted.load()
    const { value } = await this.#loads.join(key, arrived, {
      load: () => this.#load(key, wanted, sight),
      isCurrent: (loaded) => entries.isCurrent(loaded.draft, loaded.sight, sight),
    })
    // The key says what kind of value it is, for each is asked for in one place.
    return value as T
  }

  /** Builds a value and stores it, whatever is there; answers why it did not, or null. */
  async refresh<T>(wanted: Buildable<T>): Promise<string | null> {
    const { entries } = this.#deps
    const key = keyOf(wanted)
    const { sight, entry, isCurrent, isAnswered } = await entries.find(key, PATIENT_MS)
    if (sight === null) return 'PostgreSQL did not say what is current'
    if (!isAnswered) return 'the cache did not answer in time'
    if (isCurrent && entry?.header.origin === 'client') return 'a client has cached a result there'
    const value = await wanted.load()
    if (!wanted.isKept(value)) return 'nothing is stored about it'
    const draft = draftOf(key, wanted, value)
    if (!entries.isCurrent(draft, sight, sight)) return 'it is being changed at this moment'
    await entries.store(draft, sight)
    return null
  }

  async #load<T>(key: string, wanted: Buildable<T>, sight: Sight): Promise<Loaded> {
    const value = await wanted.load()
    const draft = draftOf(key, wanted, value)
    if (wanted.isKept(value)) this.#store(draft, sight)
    return { value, draft, sight }
  }

  /** After the answer and beside it. What is about to be outdated is not worth it. */
  #store(draft: Draft, sight: Sight): void {
    const { entries, tally } = this.#deps
    if (!entries.isCurrent(draft, sight, sight)) return
    entries.store(draft, sight).catch((error: unknown) => tally.failedStore(error))
  }
}

const keyOf = ({ type, name }: Pick<Buildable<unknown>, 'type' | 'name'>): string =>
  PREFIXES[type] + name

const draftOf = <T>(key: string, { type, symbolsOf }: Buildable<T>, value: T): Draft => ({
  key,
  type,
  tags: [...new Set(symbolsOf(value))].map((symbol) => markName(type, symbol ?? NO_SYMBOL)),
  origin: 'server',
  ttlSeconds: Math.round(TTL_SECONDS[type] * (1 - JITTER * Math.random())),
  text: JSON.stringify(value),
})

function servable<T>({ entry, isCurrent }: Found, { schema }: Cacheable<T>): { value: T } | null {
  if (!isCurrent || entry === null || entry.header.origin !== 'server') return null
  const parsed = schema.safeParse(parseJson(entry.text))
  return parsed.success ? { value: parsed.data } : null
}
