import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Clock, systemClock } from '../../lib/clock.js'
import { Breaker, isBroken } from './breaker.js'
import type { CacheHealth } from './cache-store.js'
import { HealthRecord } from './health-record.js'
import { isLoading, isReply, reasonOf, translate } from './redis-errors.js'

/** Where Redis is, and how long one answer may take. */
export interface RedisConnectionOptions {
  /** `redis://`, `rediss://`, or the path of a Unix socket. */
  readonly url: string
  readonly timeoutMs?: number
  readonly clock?: Clock
}

const MAX_RECONNECT_DELAY_MS = 1_000

/**
 * One connection that comes back by itself. A command either reaches a server that answers or fails
 * within the time limit: nothing is queued for later, and nothing is sent a second time.
 */
export class RedisConnection {
  readonly #redis: Redis
  readonly #health: HealthRecord
  readonly #breaker = new Breaker(isReply)
  /** The latest failure to answer, which those whom the breaker keeps away are told. */
  #silence: unknown
  /** Settled, never rejected: calls made in the first instant wait for it instead of failing. */
  readonly #firstAttempt: Promise<unknown>

  constructor({ url, timeoutMs = 1_000, clock = systemClock }: RedisConnectionOptions) {
    this.#health = new HealthRecord(clock)
    this.#redis = new Redis(url, {
      lazyConnect: true,
      connectTimeout: timeoutMs,
      commandTimeout: timeoutMs,
      // A server that is frozen keeps its socket open. Dropping the socket makes the calls after the
      // first fail at once, until a new connection has passed the driver's ready check.
      socketTimeout: timeoutMs,
      enableOfflineQueue: false,
      // Sent and unanswered is unknown: repeating it after a reconnect could bring an old value back.
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (attempt) => Math.min(50 * 2 ** (attempt - 1), MAX_RECONNECT_DELAY_MS),
      maxLoadingRetryTime: MAX_RECONNECT_DELAY_MS,
    })
    this.#watch()
    this.#firstAttempt = Promise.race([
      this.#redis.connect().catch(() => undefined),
      delay(timeoutMs, undefined, { ref: false }),
    ])
  }

  async run<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    await this.#firstAttempt
    try {
      return await this.#breaker.execute(() => command(this.#redis))
    } catch (error) {
      if (!isBroken(error)) this.#silence = error
      throw translate(this.#silence, this.#health.current.reason)
    }
  }

  /** A server can stop answering while the connection is fine, so the record alone is not enough. */
  async probe(): Promise<CacheHealth> {
    await this.#firstAttempt
    try {
      await this.#ping()
      this.#health.set('ready', null)
    } catch (error) {
      // In every other state the connection's own events know the reason better than this failure.
      if (this.#health.current.state === 'ready') {
        this.#health.set(isLoading(error) ? 'loading' : 'down', reasonOf(error))
      }
    }
    return { ...this.#health.current, breaker: this.#breaker.state }
  }

  /** An answer closes the breaker, but an open one must not keep us from asking. */
  async #ping(): Promise<void> {
    const ping = () => this.#redis.ping()
    await this.#breaker.execute(ping).catch((error: unknown) => {
      if (!isBroken(error)) throw error
      return ping()
    })
  }

  close(): void {
    this.#redis.disconnect()
  }

  #watch(): void {
    let reason: string | null = null
    this.#redis.on('error', (error: unknown) => {
      reason = reasonOf(error)
    })
    this.#redis.on('connect', () => void this.#noteLoading())
    this.#redis.on('ready', () => {
      reason = null
      this.#health.set('ready', null)
    })
    this.#redis.on('close', () => this.#health.set('down', reason ?? reasonOf(undefined)))
  }

  /** The driver waits for a loading server in silence; the record should say what it waits for. */
  async #noteLoading(): Promise<void> {
    const info = await this.#redis.info('persistence').catch(() => '')
    if (/^(async_)?loading:1/m.test(info)) {
      this.#health.set('loading', 'Redis is loading its data into memory.')
    }
  }
}
