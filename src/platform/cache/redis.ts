import { systemClock } from '../../lib/clock.js'
import {
  type CacheHealth,
  type CacheMemory,
  type CacheStats,
  type CacheStore,
  checkEntry,
  type Deleted,
  type KeyPage,
  type KeyQuery,
  type Placement,
  stopIfAborted,
} from './cache-store.js'
import { escapeGlob } from './glob.js'
import { KeyPager } from './key-pager.js'
import { PrefixCounts } from './prefix-counts.js'
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js'
import { TagIndex } from './redis-tags.js'

interface Options extends RedisConnectionOptions {
  /** Whose entries they are: each namespace sees its own alone, whatever their names. */
  readonly namespace: string
  /** How long listing or counting keys may walk. */
  readonly walkLimitMs?: number
}

/** Larger steps make other clients of the server wait for tens of milliseconds. */
const KEYS_PER_STEP = 1_000

/** The cache in Redis or Valkey, shared by every server of the same namespace. */
export class RedisCacheStore implements CacheStore {
  readonly #connection: RedisConnection
  readonly #prefix: string
  readonly #tags: TagIndex
  readonly #walkLimitMs: number

  constructor({ namespace, walkLimitMs = 2_000, ...connection }: Options) {
    if (namespace === '') throw new Error('a cache namespace must not be empty')
    const name = encodeURIComponent(namespace)
    this.#prefix = `catalyst:${name}:`
    this.#walkLimitMs = walkLimitMs
    this.#connection = new RedisConnection(connection)
    this.#tags = new TagIndex({
      connection: this.#connection,
      prefix: `catalyst-index:${name}:`,
      clock: connection.clock ?? systemClock,
    })
  }

  get(key: string): Promise<string | null> {
    return this.#connection.run((redis) => redis.get(this.#prefix + key))
  }

  async mget(keys: readonly string[]): Promise<(string | null)[]> {
    if (keys.length === 0) return []
    return this.#connection.run((redis) => redis.mget(keys.map((key) => this.#prefix + key)))
  }

  /** All or nothing: an entry without its index would outlive the deletion of its tag. */
  async set(key: string, value: string, placement: Placement): Promise<void> {
    checkEntry(value, placement)
    await this.#connection.run((redis) => {
      const writes = redis.multi()
      for (const tag of placement.tags) this.#tags.add(writes, tag, key)
      return writes.set(this.#prefix + key, value, 'EX', placement.ttlSeconds).exec()
    })
  }

  async delete(keys: readonly string[]): Promise<number> {
    return this.#unlink(keys.map((key) => this.#prefix + key))
  }

  deleteByPattern(pattern: string, signal?: AbortSignal, deleted?: Deleted): Promise<number> {
    return this.#deleteAll(this.#walk(pattern), signal, deleted)
  }

  async deleteByTag(tag: string, signal?: AbortSignal, deleted?: Deleted): Promise<number> {
    const trim = this.#tags.trimmer(tag)
    const count = await this.#deleteAll(this.#namesOf(tag), signal, deleted)
    await trim()
    return count
  }

  async keys(query: KeyQuery): Promise<KeyPage> {
    const pager = new KeyPager(query)
    const complete = await this.#visit(query.pattern, (keys) => pager.add(keys))
    return pager.page(complete)
  }

  /**
   * Memory, hits, evictions and clients are the whole server's, as Redis counts nothing by key name.
   * The keys are ours alone, so they are counted by a walk: DBSIZE would count other applications'.
   */
  async stats(prefixes: readonly string[]): Promise<CacheStats> {
    const info = await this.#connection.run((redis) => redis.info())
    const counts = new PrefixCounts(prefixes)
    const complete = await this.#visit('*', (keys) => counts.add(keys))
    return {
      ...memoryOf(info),
      hit_rate: hitRate(info),
      evicted_keys: figure(info, 'evicted_keys'),
      connected_clients: figure(info, 'connected_clients'),
      keys: counts.total,
      keys_by_prefix: counts.byPrefix,
      keys_complete: complete,
    }
  }

  async memory(): Promise<CacheMemory> {
    return memoryOf(await this.#connection.run((redis) => redis.info('memory')))
  }

  health(): Promise<CacheHealth> {
    return this.#connection.probe()
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  async *#namesOf(tag: string): AsyncGenerator<string[]> {
    for await (const keys of this.#tags.keysOf(tag)) yield keys.map((key) => this.#prefix + key)
  }

  async #deleteAll(
    steps: AsyncIterable<string[]>,
    signal: AbortSignal | undefined,
    deleted: Deleted = () => {},
  ) {
    let total = 0
    for await (const names of steps) {
      stopIfAborted(signal)
      const count = await this.#unlink(names)
      total += count
      deleted(count)
    }
    return total
  }

  async #unlink(names: readonly string[]): Promise<number> {
    if (names.length === 0) return 0
    return this.#connection.run((redis) => redis.unlink([...names]))
  }

  /** Shows every matching key, without the prefix, to `visit`; false when time ran out before the end. */
  async #visit(pattern: string, visit: (keys: string[]) => void): Promise<boolean> {
    const end = performance.now() + this.#walkLimitMs
    for await (const names of this.#walk(pattern)) {
      if (performance.now() > end) return false
      visit(names.map((name) => name.slice(this.#prefix.length)))
    }
    return true
  }

  /** SCAN promises every key that exists during the whole walk; KEYS would stop the server for it. */
  async *#walk(pattern: string): AsyncGenerator<string[]> {
    const match = escapeGlob(this.#prefix) + pattern
    let cursor = '0'
    do {
      const from = cursor
      const [next, names] = await this.#connection.run((redis) =>
        redis.scan(from, 'MATCH', match, 'COUNT', KEYS_PER_STEP),
      )
      yield names
      cursor = next
    } while (cursor !== '0')
  }
}

/** One number of an INFO answer; null when this server does not report it. */
function figure(info: string, field: string): number | null {
  const value = new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]
  return value === undefined ? null : Number(value)
}

const memoryOf = (info: string): CacheMemory => ({
  used_memory_bytes: figure(info, 'used_memory'),
  max_memory_bytes: figure(info, 'maxmemory') || null,
})

function hitRate(info: string): number | null {
  const hits = figure(info, 'keyspace_hits')
  const misses = figure(info, 'keyspace_misses')
  if (hits === null || misses === null || hits + misses === 0) return null
  return hits / (hits + misses)
}
