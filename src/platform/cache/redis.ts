import type { Redis } from 'ioredis'
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
} from './cache-store.js'
import { deleteSteps } from './deletion.js'
import { escapeGlob } from './glob.js'
import { KeyCensus } from './key-census.js'
import { KeyPager } from './key-pager.js'
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js'
import { countersOf, evicts, figuresOf } from './redis-figures.js'
import { tryCommands } from './redis-rights.js'
import { KEYS_PER_STEP } from './redis-servers.js'
import { TagIndex } from './redis-tags.js'

interface Options extends RedisConnectionOptions {
  /** Whose entries they are: each namespace sees its own alone, whatever their names. */
  readonly namespace: string
  /** How long listing or counting keys may walk. */
  readonly walkLimitMs?: number
}

/** The cache in Redis or Valkey, shared by every server of the same namespace. */
export class RedisCacheStore implements CacheStore {
  readonly #connection: RedisConnection
  readonly #prefix: string
  /** Keys that nothing is ever stored under: a value is named by its type. */
  readonly #nobodys: { readonly entry: string; readonly index: string }
  readonly #tags: TagIndex
  readonly #census: KeyCensus
  readonly #walkLimitMs: number

  constructor({ namespace, walkLimitMs = 2_000, ...connection }: Options) {
    if (namespace === '') throw new Error('a cache namespace must not be empty')
    const name = encodeURIComponent(namespace)
    this.#prefix = `catalyst:${name}:`
    const indexPrefix = `catalyst-index:${name}:`
    this.#nobodys = { entry: `${this.#prefix}\u0000`, index: `${indexPrefix}\u0000` }
    this.#walkLimitMs = walkLimitMs
    this.#connection = new RedisConnection(connection)
    const clock = connection.clock ?? systemClock
    this.#census = new KeyCensus(clock)
    this.#tags = new TagIndex({
      connection: this.#connection,
      prefix: indexPrefix,
      clock,
    })
  }

  get(key: string): Promise<string | null> {
    return this.#connection.run((redis) => redis.keyed.get(this.#prefix + key))
  }

  async mget(keys: readonly string[]): Promise<(string | null)[]> {
    if (keys.length === 0) return []
    return this.#connection.run((redis) => redis.values(keys.map((key) => this.#prefix + key)))
  }

  /** All or nothing: an entry without its index would outlive the deletion of its tag. */
  async set(key: string, value: string, placement: Placement): Promise<void> {
    checkEntry(value, placement)
    const { ttlSeconds, tags } = placement
    const name = this.#prefix + key
    await this.#connection.run((redis) =>
      redis.write(
        tags.map((tag) => this.#tags.note(tag, key)),
        (to) => to.set(name, value, 'EX', ttlSeconds),
      ),
    )
  }

  async delete(keys: readonly string[]): Promise<number> {
    const names = keys.map((key) => this.#prefix + key)
    return deleteSteps(stepsOf(names), (step) => this.#unlink(step))
  }

  deleteByPattern(pattern: string, signal?: AbortSignal, deleted?: Deleted): Promise<number> {
    return deleteSteps(this.#walk(pattern), (names) => this.#unlink(names), { signal, deleted })
  }

  async deleteByTag(tag: string, signal?: AbortSignal, deleted?: Deleted): Promise<number> {
    const trim = this.#tags.trimmer(tag)
    const names = this.#namesOf(tag)
    const count = await deleteSteps(names, (step) => this.#unlink(step), { signal, deleted })
    await trim()
    return count
  }

  usedTags(tags: readonly string[]): Promise<string[]> {
    return this.#tags.used(tags)
  }

  tagged(tag: string): AsyncIterable<readonly string[]> {
    return this.#tags.keysOf(tag)
  }

  async keys(query: KeyQuery): Promise<KeyPage> {
    const pager = new KeyPager(query)
    const complete = await this.#visit(query.pattern, (keys) => pager.add(keys))
    return pager.page(complete)
  }

  /** The keys are ours alone, so they are counted: DBSIZE would count other applications' too. */
  async stats(prefixes: readonly string[]): Promise<CacheStats> {
    const infos = await this.#infos()
    const counts = await this.#census.count(prefixes, (visit) => this.#visit('*', visit))
    return { ...figuresOf(infos), ...counts }
  }

  async memory(): Promise<CacheMemory> {
    const infos = await this.#infos()
    const { used_memory_bytes, max_memory_bytes } = figuresOf(infos)
    return { used_memory_bytes, max_memory_bytes, evicts: evicts(infos), ...countersOf(infos) }
  }

  health(): Promise<CacheHealth> {
    return this.#connection.probe(async (redis) => {
      await tryCommands(redis.keyed, this.#nobodys)
      const [server] = await redis.primaries()
      await server?.scan(0, 'MATCH', this.#nobodys.entry, 'COUNT', 1)
    })
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  async #infos(): Promise<string[]> {
    const servers = await this.#connection.primaries()
    return this.#connection.run(() => Promise.all(servers.map((server) => server.info())))
  }

  async *#namesOf(tag: string): AsyncGenerator<string[]> {
    for await (const keys of this.#tags.keysOf(tag)) yield keys.map((key) => this.#prefix + key)
  }

  #unlink(names: readonly string[]): Promise<number> {
    return this.#connection.run((redis) => redis.unlink(names))
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

  async *#walk(pattern: string): AsyncGenerator<string[]> {
    const match = escapeGlob(this.#prefix) + pattern
    const servers = await this.#connection.primaries()
    for (const server of servers) yield* this.#scan(server, match)
  }

  /** SCAN promises every key that exists during the whole walk; KEYS would stop the server for it. */
  async *#scan(server: Redis, match: string): AsyncGenerator<string[]> {
    let cursor = '0'
    do {
      const from = cursor
      const [next, names] = await this.#connection.run(() =>
        server.scan(from, 'MATCH', match, 'COUNT', KEYS_PER_STEP),
      )
      yield names
      cursor = next
    } while (cursor !== '0')
  }
}

function* stepsOf(names: readonly string[]): Generator<string[]> {
  for (let at = 0; at < names.length; at += KEYS_PER_STEP) yield names.slice(at, at + KEYS_PER_STEP)
}
