import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { vi } from 'vitest'

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
    const child = spawn('redis-server', [...base, ...options], { stdio: 'ignore' })
    child.once('error', () => undefined)
    this.#process = child
    await vi.waitFor(
      async () => {
        if (child.pid === undefined) throw new Error('no redis-server on PATH: install one')
        await this.send((redis) => redis.info('server'))
      },
      { timeout: 10_000, interval: 10 },
    )
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
