import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { vi } from 'vitest'
import { findOnPath } from '../../src/platform/embedded/binaries.js'

const PROGRAM = findOnPath(['redis-server', 'valkey-server'])

/** A Redis of the test's own, on a Unix socket in a directory that goes with it. */
export class RedisServer {
  readonly dir: string
  readonly socket: string
  #process: ChildProcess | null = null

  private constructor(dir: string) {
    this.dir = dir
    this.socket = join(dir, 'redis.sock')
  }

  static async create(): Promise<RedisServer> {
    return new RedisServer(await mkdtemp(join(tmpdir(), 'catalyst-redis-')))
  }

  /** Starts, or starts again, and waits until the server accepts connections. */
  async start(...options: string[]): Promise<void> {
    const base = ['--port', '0', '--unixsocket', this.socket, '--dir', this.dir, '--save', '']
    if (!PROGRAM) throw new Error('no redis-server on PATH: install one')
    // A configuration file comes before every option.
    const file = options[0]?.startsWith('/') ? options.splice(0, 1) : []
    this.#process = spawn(PROGRAM, [...file, ...base, ...options], { stdio: 'ignore' })
    await vi.waitFor(() => this.send((redis) => redis.info('server')), {
      timeout: 60_000,
      interval: 10,
    })
  }

  /** Runs one command as a stranger would: without our adapter, prefix or options. */
  async send<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.socket, { retryStrategy: null, enableReadyCheck: false })
    redis.on('error', () => undefined)
    try {
      return await command(redis)
    } finally {
      redis.disconnect()
    }
  }

  /** Starts on a TCP port too, which it answers. */
  async startOnPort(...options: string[]): Promise<number> {
    const port = await freePort()
    await this.start(...options, '--port', String(port), '--bind', '127.0.0.1')
    return port
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = null
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async dispose(): Promise<void> {
    await this.kill()
    await rm(this.dir, { recursive: true, force: true })
  }
}

/** A primary otherwise waits 5 s for more replicas to copy. */
export const COPIES_AT_ONCE = ['--repl-diskless-sync-delay', '0']

/** Low enough for the port of a cluster's own talk, which is 10 000 above. */
const HIGHEST_PORT = 55_535

/** A TCP port that nobody has. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return address.port > HIGHEST_PORT ? freePort() : address.port
}
