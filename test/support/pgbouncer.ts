import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'
import { waitFor } from './wait-for.js'

/** How a pool gives its server connections to clients. */
export type PoolMode = 'session' | 'transaction' | 'statement'

interface PoolOptions {
  readonly mode?: PoolMode
  /** Connections to the server, shared by all clients. */
  readonly size?: number
  /** The URL of the server; that of the test run when it is left out. */
  readonly server?: string
}

const CONFIG = 'pgbouncer.ini'

/** A real PgBouncer in front of the PostgreSQL of the tests. */
export class PgBouncer {
  readonly #port: number
  readonly #folder: string
  readonly #child
  #log = ''
  #hasEnded = false

  private constructor(port: number, folder: string, uid: number) {
    this.#port = port
    this.#folder = folder
    const PATH = `${process.env.PATH ?? ''}:/usr/sbin`
    const [program = '', ...args] = [...prefixFor(uid), 'pgbouncer', join(folder, CONFIG)]
    this.#child = spawn(program, args, {
      ...(process.getuid?.() === 0 && uid !== 0 ? { uid } : {}),
      env: { PATH },
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: '/',
    })
    this.#child.stderr.on('data', (chunk) => {
      this.#log += chunk
    })
    for (const event of ['exit', 'error']) {
      this.#child.once(event, () => {
        this.#hasEnded = true
      })
    }
  }

  /** Starts one, until the end of the test. */
  static async forThisTest(options: PoolOptions = {}): Promise<PgBouncer> {
    const bouncer = await PgBouncer.start(options)
    onTestFinished(() => bouncer.stop())
    return bouncer
  }

  /** Starts one, until `stop`. */
  static async start(options: PoolOptions = {}): Promise<PgBouncer> {
    const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'))
    const server = new URL((options.server ?? inject('postgresUrl')).replace('@/', '@localhost/'))
    const sockets = server.searchParams.get('host') ?? ''
    const port = await freePort()
    writeFileSync(join(folder, 'users'), '"postgres" ""\n"ordinary" ""\n')
    writeFileSync(join(folder, CONFIG), settings({ ...options, folder, sockets, port }))
    chmodSync(folder, 0o755)
    const bouncer = new PgBouncer(port, folder, statSync(join(sockets, '.s.PGSQL.5432')).uid)
    await waitFor(() => bouncer.#log.includes('process up') || bouncer.#hasEnded)
    bouncer.assertUp()
    return bouncer
  }

  /** Ends it at once. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL')
    await waitFor(() => this.#hasEnded, { what: 'the end of PgBouncer' })
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Fails with its log when it has ended. */
  assertUp(): void {
    if (this.#hasEnded) throw new Error(`PgBouncer is not there:\n${this.#log}`)
  }

  /** A database through the pool. */
  url(database: string, user = 'postgres'): string {
    return `postgresql://${user}@127.0.0.1:${this.#port}/${database}`
  }

  /** What every server connection of a pool carries that no other client has asked for. */
  async traces(database: string, size: number): Promise<string[]> {
    const clients = Array.from(
      { length: size },
      () => new pg.Client({ connectionString: this.url(database), application_name: 'traces' }),
    )
    try {
      await Promise.all(clients.map((client) => client.connect()))
      // Each holds a server connection of its own: all of them are looked at.
      await Promise.all(clients.map((client) => client.query('begin')))
      const found = await Promise.all(clients.map((client) => client.query(TRACES)))
      return found.flatMap(({ rows }) => rows.map(({ trace }) => String(trace)))
    } finally {
      await Promise.all(clients.map((client) => client.end()))
    }
  }
}

/**
 * Only the owner of the server's socket may use that, and PgBouncer refuses to run as root: where root
 * runs the server, it is shown somebody else, as the server is.
 */
const prefixFor = (uid: number): string[] =>
  process.getuid?.() === 0 && uid === 0
    ? ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--']
    : []

/** PgBouncer itself passes some settings of its clients on. */
const TRACES = `
  select name || ' = ' || setting as trace
  from pg_settings
  where source = 'session'
    and setting is distinct from reset_val
    and name not in ('application_name', 'client_encoding')
  union all
  select 'prepared ' || name from pg_prepared_statements
  union all
  select 'listens to ' || channel from pg_listening_channels() as channel
  union all
  select 'holds an advisory lock' from pg_locks
  where locktype = 'advisory' and pid = pg_backend_pid()`

const settings = (options: {
  readonly folder: string
  readonly sockets: string
  readonly port: number
  readonly mode?: PoolMode
  readonly size?: number
}): string => `
[databases]
* = host=${options.sockets} port=5432
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${options.port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(options.folder, 'users')}
pool_mode = ${options.mode ?? 'transaction'}
default_pool_size = ${options.size ?? 4}
max_client_conn = 200
`

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
