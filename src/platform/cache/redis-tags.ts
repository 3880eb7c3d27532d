import type { Clock } from '../../lib/clock.js'
import { MAX_TTL_SECONDS } from './cache-store.js'
import type { RedisConnection } from './redis-connection.js'
import { KEYS_PER_STEP, type Write } from './redis-servers.js'

interface Options {
  readonly connection: RedisConnection
  readonly prefix: string
  readonly clock: Clock
}

/** How far servers' clocks may be apart, and longer than any write can be under way. */
const MARGIN_SECONDS = 300
const INDEX_TTL_SECONDS = MAX_TTL_SECONDS + MARGIN_SECONDS

/**
 * Which keys were stored under a tag, and when: a sorted set for each tag, which ends with the last
 * of its entries. A key leaves it by its age alone and not with its entry, because on a cluster an
 * entry and its index are on different servers: a key that is being stored again while it is deleted
 * would lose its index.
 */
export class TagIndex {
  readonly #connection: RedisConnection
  readonly #prefix: string
  readonly #clock: Clock

  constructor({ connection, prefix, clock }: Options) {
    this.#connection = connection
    this.#prefix = prefix
    this.#clock = clock
  }

  /** Notes a key under a tag; it must take effect before the entry does. */
  note(tag: string, key: string): Write {
    const index = this.#prefix + tag
    const now = this.#now()
    return (to) =>
      to
        .zadd(index, now, key)
        .zremrangebyscore(index, '-inf', now - INDEX_TTL_SECONDS * 1_000)
        .expire(index, INDEX_TTL_SECONDS)
  }

  /** Those of the tags that keys are noted under. */
  async used(tags: readonly string[]): Promise<string[]> {
    if (tags.length === 0) return []
    const names = tags.map((tag) => this.#prefix + tag)
    const exist = await this.#connection.run((redis) => redis.exist(names))
    return tags.filter((_, at) => exist[at])
  }

  /** The noted keys in small steps; a key may come twice. */
  async *keysOf(tag: string): AsyncGenerator<string[]> {
    const index = this.#prefix + tag
    let cursor = '0'
    do {
      const from = cursor
      const [next, found] = await this.#connection.run((redis) =>
        redis.keyed.zscan(index, from, 'COUNT', KEYS_PER_STEP),
      )
      // Each key is followed by its time.
      yield found.filter((_, at) => at % 2 === 0)
      cursor = next
    } while (cursor !== '0')
  }

  /** Forgets, when called, the keys that were noted well before now: whoever deleted all of them may. */
  trimmer(tag: string): () => Promise<void> {
    const index = this.#prefix + tag
    const before = this.#now() - MARGIN_SECONDS * 1_000
    return async () => {
      let isDone = false
      while (!isDone) {
        const last = await this.#timeAt(index, KEYS_PER_STEP - 1)
        isDone = last >= before
        const until = Math.min(last, before)
        await this.#connection.run((redis) => redis.keyed.zremrangebyscore(index, '-inf', until))
      }
    }
  }

  /** When the key was noted that has so many older ones; infinite when there is none. */
  async #timeAt(index: string, rank: number): Promise<number> {
    const [, time] = await this.#connection.run((redis) =>
      redis.keyed.zrange(index, rank, `${rank}`, 'WITHSCORES'),
    )
    return time === undefined ? Number.POSITIVE_INFINITY : Number(time)
  }

  #now(): number {
    return this.#clock.now().getTime()
  }
}
