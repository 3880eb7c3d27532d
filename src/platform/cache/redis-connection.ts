import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type Clock, systemClock } from '../../lib/clock.js'
import type { Outage } from '../../lib/outage.js'
import { Breaker, isBroken } from './breaker.js'
import type { CacheHealth } from './cache-store.js'
import { HealthRecord } from './health-record.js'
import { ClusterRedis } from './redis-cluster.js'
import { isLoading, isReply, reasonOf, translate } from './redis-errors.js'
import type { RedisServers } from './redis-servers.js'
import { SingleRedis } from './redis-single.js'
import { parseRedisUrl } from './redis-url.js'

/** Where Redis is, and how long one answer may take. */
export interface RedisConnectionOptions {
  /** As `parseRedisUrl` takes it. */
  readonly url: string
  readonly timeoutMs?: number
  readonly clock?: Clock
  /** Is told when the cache goes away and comes back. */
  readonly outage?: Outage
}

/**
 * A connection that comes back by itself. A command either reaches a server that answers or fails
 * within the time limit: nothing is queued for later, and nothing is sent a second time.
 */
export class RedisConnection {
  readonly #servers: RedisServers
  readonly #health: HealthRecord
  readonly #breaker = new Breaker(isReply)
  #isClosed = false
  /** The latest failure to answer, which those whom the breaker keeps away are told. */
  #silence: unknown
  /** Settled, never rejected: calls made in the first instant wait for it instead of failing. */
  readonly #firstAttempt: Promise<unknown>

  constructor({ url, timeoutMs = 1_000, clock = systemClock, outage }: RedisConnectionOptions) {
    this.#health = new HealthRecord(clock, (state, reason) => {
      if (state === 'ready') outage?.over()
      else if (!this.#isClosed) outage?.failed(new Error(reason ?? state))
    })
    this.#servers = openServers(url, timeoutMs)
    this.#watch()
    this.#firstAttempt = Promise.race([
      this.#servers.connect().catch(() => undefined),
      delay(timeoutMs, undefined, { ref: false }),
    ])
  }

  async run<T>(command: (redis: RedisServers) => Promise<T>): Promise<T> {
    await this.#firstAttempt
    try {
      return await this.#breaker.execute(() => command(this.#servers))
    } catch (error) {
      if (!isBroken(error) && !isReply(error)) this.#silence = error
      throw translate(isBroken(error) ? this.#silence : error, this.#health.current.reason)
    }
  }

  /** Every server that holds keys, for commands of `run` that concern all keys. */
  async primaries(): Promise<Redis[]> {
    await this.#firstAttempt
    try {
      return await this.#servers.primaries()
    } catch (error) {
      throw translate(error, this.#health.current.reason)
    }
  }

  /**
   * A server can stop answering, or stop taking what `check` sends, while the connection is fine, so
   * the record alone is not enough.
   */
  async probe(check: (redis: RedisServers) => Promise<void>): Promise<CacheHealth> {
    await this.#firstAttempt
    try {
      await this.#ask(async () => {
        await this.#servers.ping()
        await check(this.#servers)
      })
      this.#health.set('ready', null)
    } catch (error) {
      // What a server says is first-hand. A failure says less than the connection's own events did.
      if (this.#health.current.state === 'ready' || isReply(error)) {
        this.#health.set(isLoading(error) ? 'loading' : 'down', reasonOf(error))
      }
    }
    return { ...this.#health.current, breaker: this.#breaker.state }
  }

  /** An answer closes the breaker, but an open one must not keep us from asking. */
  async #ask(question: () => Promise<void>): Promise<void> {
    await this.#breaker.execute(question).catch((error: unknown) => {
      if (!isBroken(error)) throw error
      return question()
    })
  }

  close(): void {
    this.#isClosed = true
    this.#servers.disconnect()
  }

  #watch(): void {
    let reason: string | null = null
    this.#servers.on('error', (error: unknown) => {
      reason = reasonOf(error)
      // While the driver looks for a Sentinel that knows, no connection is closed.
      if (this.#health.current.state !== 'ready') this.#health.set('down', reason)
    })
    this.#servers.on('connect', () => void this.#noteLoading())
    this.#servers.on('ready', () => {
      reason = null
      this.#health.set('ready', null)
    })
    this.#servers.on('close', () => this.#health.set('down', reason ?? reasonOf(undefined)))
  }

  /** The driver waits for a loading server in silence; the record should say what it waits for. */
  async #noteLoading(): Promise<void> {
    const servers = await this.#servers.primaries().catch(() => [])
    const infos = await Promise.all(
      servers.map((server) => server.info('persistence').catch(() => '')),
    )
    if (infos.some((info) => /^(async_)?loading:1/m.test(info))) {
      this.#health.set('loading', 'Redis is loading its data into memory.')
    }
  }
}

function openServers(url: string, timeoutMs: number): RedisServers {
  const { site, login, tls, db } = parseRedisUrl(url)
  const access = { ...login, ...(tls ? { tls } : {}), timeoutMs }
  if (site.kind === 'cluster') return new ClusterRedis({ ...access, hosts: site.hosts })
  return new SingleRedis({ ...access, site, db })
}
