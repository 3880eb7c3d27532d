import { Cluster, type Redis } from 'ioredis'
import { IncompleteCluster } from './redis-errors.js'
import {
  type Access,
  perConnection,
  quietLoadingCheck,
  type RedisServers,
  reconnectDelay,
  type Write,
} from './redis-servers.js'
import type { Host } from './redis-url.js'

/** How long a failover may go unnoticed by a server whose calls meet only the other primaries. */
const REFRESH_MS = 2_000

/** A Redis Cluster. A command has one key, as keys of one command must not be on different servers. */
export class ClusterRedis implements RedisServers {
  readonly keyed: Cluster

  constructor({ hosts, ...access }: Access & { readonly hosts: readonly Host[] }) {
    this.keyed = new Cluster(
      hosts.map((host) => ({ ...host })),
      {
        redisOptions: perConnection(access),
        lazyConnect: true,
        enableOfflineQueue: false,
        clusterRetryStrategy: reconnectDelay,
        slotsRefreshTimeout: access.timeoutMs,
        slotsRefreshInterval: REFRESH_MS,
        // A redirected command was not executed and goes on; after a loss nobody knows.
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 0,
        // Certificates are for names, so names must not become addresses before TLS sees them.
        dnsLookup: (name, done) => done(null, name),
      },
    )
    this.keyed.on('error', () => undefined)
    this.keyed.on('+node', quietLoadingCheck)
  }

  /** The driver forgets a server that is lost, so what it knows may be a part only. */
  async primaries(): Promise<Redis[]> {
    const known = this.keyed.nodes('master')
    const info = String(await known[0]?.cluster('INFO'))
    const count = Number(/^cluster_size:(\d+)/m.exec(info)?.[1])
    if (/^cluster_state:ok/m.test(info) && known.length >= count) return known
    throw known.length > 0 ? new IncompleteCluster() : new Error('no server is known')
  }

  /** With a connection to each: a call that meets one which is only being made fails. */
  async connect(): Promise<void> {
    await this.keyed.connect()
    await Promise.all(this.keyed.nodes('master').map((node) => node.ping()))
  }

  async ping(): Promise<void> {
    const nodes = await this.primaries()
    await Promise.all(nodes.map((node) => node.ping()))
  }

  values(names: readonly string[]): Promise<(string | null)[]> {
    return Promise.all(names.map((name) => this.keyed.get(name)))
  }

  async exist(names: readonly string[]): Promise<boolean[]> {
    const counts = await Promise.all(names.map((name) => this.keyed.exists(name)))
    return counts.map((count) => count > 0)
  }

  async unlink(names: readonly string[]): Promise<number> {
    const counts = await Promise.all(names.map((name) => this.keyed.unlink(name)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async write(first: readonly Write[], last: Write): Promise<void> {
    await Promise.all(first.map((write) => this.#send(write)))
    await this.#send(last)
  }

  async #send(write: Write): Promise<void> {
    const results = await write(this.keyed.pipeline()).exec()
    for (const [error] of results ?? []) if (error) throw error
  }

  on(event: 'connect' | 'ready' | 'close' | 'error', listener: (error?: unknown) => void): unknown {
    // The driver's own error is only that all nodes had one.
    return this.keyed.on(event === 'error' ? 'node error' : event, listener)
  }

  disconnect(): void {
    this.keyed.disconnect()
  }
}
