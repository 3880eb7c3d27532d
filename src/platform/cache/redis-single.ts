import { Redis, type RedisOptions } from 'ioredis'
import {
  type Access,
  MAX_RECONNECT_DELAY_MS,
  perConnection,
  quietLoadingCheck,
  type RedisServers,
  reconnectDelay,
  type Write,
} from './redis-servers.js'
import type { RedisSite } from './redis-url.js'

interface Options extends Access {
  readonly site: Exclude<RedisSite, { kind: 'cluster' }>
  readonly db: number
}

/** One server that holds everything: the one named, or the one the Sentinels name. */
export class SingleRedis implements RedisServers {
  readonly keyed: Redis

  constructor({ site, db, ...access }: Options) {
    this.keyed = new Redis({
      ...perConnection(access),
      ...addressOf(site, access),
      db,
      lazyConnect: true,
      enableOfflineQueue: false,
      retryStrategy: reconnectDelay,
      reconnectOnError: onceASecond((error) => error.message.startsWith('READONLY')),
    })
    quietLoadingCheck(this.keyed)
  }

  async primaries(): Promise<Redis[]> {
    return [this.keyed]
  }

  connect(): Promise<void> {
    return this.keyed.connect()
  }

  async ping(): Promise<void> {
    await this.keyed.ping()
  }

  values(names: readonly string[]): Promise<(string | null)[]> {
    return this.keyed.mget([...names])
  }

  /** Mostly none does, and one command tells. */
  async exist(names: readonly string[]): Promise<boolean[]> {
    if ((await this.keyed.exists(...names)) === 0) return names.map(() => false)
    const counts = await Promise.all(names.map((name) => this.keyed.exists(name)))
    return counts.map((count) => count > 0)
  }

  unlink(names: readonly string[]): Promise<number> {
    return this.keyed.unlink([...names])
  }

  async write(first: readonly Write[], last: Write): Promise<void> {
    const all = this.keyed.multi()
    for (const write of [...first, last]) write(all)
    await all.exec()
  }

  on(event: 'connect' | 'ready' | 'close' | 'error', listener: (error?: unknown) => void): unknown {
    return this.keyed.on(event, listener)
  }

  disconnect(): void {
    this.keyed.disconnect()
  }
}

type Address = Omit<RedisOptions, 'replyMapping'>

function addressOf(site: Options['site'], { tls, timeoutMs }: Access): Address {
  if (site.kind === 'server') return site.host
  if (site.kind === 'socket') return { path: site.path }
  const { username, password } = site.login
  return {
    sentinels: site.hosts.map((host) => ({ ...host })),
    name: site.name,
    role: 'master',
    sentinelCommandTimeout: timeoutMs,
    sentinelRetryStrategy: reconnectDelay,
    ...(username ? { sentinelUsername: username } : {}),
    ...(password ? { sentinelPassword: password } : {}),
    ...(tls ? { sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
  }
}

/**
 * A server that answers reads only may be the primary no longer: a new connection finds who is. One
 * that stays so must not cost its readers a connection with every write.
 */
function onceASecond(isReason: (error: Error) => boolean): (error: Error) => boolean {
  let last = Number.NEGATIVE_INFINITY
  return (error) => {
    if (!isReason(error) || performance.now() - last < MAX_RECONNECT_DELAY_MS) return false
    last = performance.now()
    return true
  }
}
