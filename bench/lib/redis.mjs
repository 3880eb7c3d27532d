import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { RedisCacheStore } from '../../dist/platform/cache/redis.js'
import { findOnPath } from '../../dist/platform/embedded/binaries.js'

const FILLED_AT_ONCE = 5_000
const VALUE = 'x'.repeat(200)

/** The Redis that PATH has, or null. */
export const redisProgram = findOnPath(['redis-server', 'valkey-server'])

/** A Redis of the bench's own, full of entries of our cache that nobody asks for. */
export class FilledRedis {
  path
  store
  #child
  #redis
  #namespace

  constructor(directory, namespace) {
    this.#namespace = namespace
    mkdirSync(directory)
    this.path = join(directory, 'redis.sock')
    const options = ['--port', '0', '--unixsocket', this.path, '--save', '', '--dir', directory]
    this.#child = spawn(redisProgram, options, { stdio: 'ignore' })
    this.#redis = new Redis(this.path, { retryStrategy: () => 50 })
    this.#redis.on('error', () => {})
    this.store = new RedisCacheStore({ url: this.path, namespace, walkLimitMs: 60_000 })
  }

  /** One that holds so many entries of a namespace. */
  static async start(bench, namespace, count) {
    const redis = new FilledRedis(join(bench.directory, `redis-${namespace}`), namespace)
    bench.keep(redis, () => redis.close())
    await redis.fill('news', count)
    while ((await redis.store.health()).state !== 'ready') await delay(20)
    return redis
  }

  /** As many entries as the count says, whose keys begin with the prefix. */
  async fill(prefix, count) {
    for (let from = 0; from < count; from += FILLED_AT_ONCE) {
      const pipeline = this.#redis.pipeline()
      for (let i = from; i < Math.min(count, from + FILLED_AT_ONCE); i++) {
        pipeline.set(`catalyst:${this.#namespace}:${prefix}:${i}`, VALUE, 'EX', 86_400)
      }
      await pipeline.exec()
    }
  }

  /** As many entries under a tag, stored as the product does. */
  async tag(tag, count) {
    for (let i = 0; i < count; i++) {
      await this.store.set(`pattern:${tag}:${i}`, VALUE, { ttlSeconds: 300, tags: [tag] })
    }
  }

  /** Reads one entry after the other for so long. */
  async read(ms) {
    const end = performance.now() + ms
    for (let i = 0; performance.now() < end; i++) await this.store.get(`news:${i % 1_000}`)
  }

  async close() {
    await this.store.close()
    this.#redis.disconnect()
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
