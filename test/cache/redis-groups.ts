import { writeFile } from 'node:fs/promises'
import { expect, vi } from 'vitest'
import { COPIES_AT_ONCE, RedisServer } from './redis-server.js'

const SLOTS = 16_384

/** Servers that belong together. */
class Group {
  readonly servers: RedisServer[] = []
  protected readonly ports: number[] = []

  async flush(): Promise<void> {
    for (const server of this.servers) {
      await server.send(async (redis) => {
        if (/^role:master/m.test(await redis.info('replication'))) await redis.flushall()
        await redis.config('RESETSTAT')
      })
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.dispose()))
  }

  protected async add(...options: string[]): Promise<RedisServer> {
    const server = await RedisServer.create()
    this.servers.push(server)
    this.ports.push(await server.startOnPort(...COPIES_AT_ONCE, ...options))
    return server
  }

  protected get hosts(): string {
    return this.ports.map((port) => `127.0.0.1:${port}`).join(',')
  }
}

/** A Redis Cluster of three primaries, the first with a replica: servers 0, 1, 2, and 3. */
export class RedisCluster extends Group {
  get url(): string {
    return `redis+cluster://${this.hosts}`
  }

  static async start(): Promise<RedisCluster> {
    const cluster = new RedisCluster()
    for (let node = 0; node < 4; node++) await cluster.#addNode()
    await cluster.#join()
    return cluster
  }

  #addNode(): Promise<RedisServer> {
    return this.add('--cluster-enabled', 'yes', '--cluster-node-timeout', '2000')
  }

  async #join(): Promise<void> {
    const [first, , , replica] = this.servers
    if (!first || !replica) throw new Error('the cluster has no servers')
    for (const [at, server] of this.servers.slice(0, 3).entries()) {
      const [from, to] = [at, at + 1].map((part) => Math.floor((part * SLOTS) / 3))
      const slots = Array.from({ length: (to ?? 0) - (from ?? 0) }, (_, slot) => (from ?? 0) + slot)
      await server.send((redis) => redis.cluster('SET-CONFIG-EPOCH', at + 1))
      await server.send((redis) => redis.cluster('ADDSLOTS', ...slots))
    }
    for (const port of this.ports.slice(1)) {
      await first.send((redis) => redis.cluster('MEET', '127.0.0.1', port))
    }
    const id = await first.send((redis) => redis.cluster('MYID'))
    await eventually(async () => {
      expect(await replica.send((redis) => redis.cluster('NODES'))).toContain(String(id))
    })
    await replica.send((redis) => redis.cluster('REPLICATE', String(id)))
    for (const server of this.servers) {
      await eventually(async () => {
        const info = await server.send((redis) => redis.cluster('INFO'))
        expect(info).toMatch(/cluster_state:ok[\s\S]*cluster_known_nodes:4\r\ncluster_size:3/)
      })
    }
    await isInStep(replica)
  }
}

/** A primary (server 0), its replica (server 1), and one Sentinel that watches them. */
export class SentinelGroup extends Group {
  #sentinel: { server: RedisServer; port: number } | null = null

  get url(): string {
    return `redis+sentinel://127.0.0.1:${this.#sentinel?.port}/main`
  }

  static async start(): Promise<SentinelGroup> {
    const group = new SentinelGroup()
    await group.add()
    const replica = await group.add('--replicaof', `127.0.0.1 ${group.ports[0]}`)
    await isInStep(replica)
    await group.#watch()
    return group
  }

  async #watch(): Promise<void> {
    const server = await RedisServer.create()
    const file = `${server.dir}/sentinel.conf`
    await writeFile(
      file,
      [
        `sentinel monitor main 127.0.0.1 ${this.ports[0]} 1`,
        'sentinel down-after-milliseconds main 1000',
        'sentinel failover-timeout main 2000',
      ].join('\n'),
    )
    this.#sentinel = { server, port: await server.startOnPort(file, '--sentinel') }
    await eventually(async () => {
      const replicas = await server.send((redis) => redis.call('SENTINEL', 'REPLICAS', 'main'))
      expect(replicas).toHaveLength(1)
    })
  }

  override async dispose(): Promise<void> {
    await super.dispose()
    await this.#sentinel?.server.dispose()
  }
}

const eventually = (check: () => Promise<void>) =>
  vi.waitFor(check, { timeout: 60_000, interval: 50 })

/** A replica that has not yet copied its primary cannot take its place. */
const isInStep = (replica: RedisServer) =>
  eventually(async () => {
    expect(await replica.send((redis) => redis.info('replication'))).toContain(
      'master_link_status:up',
    )
  })
