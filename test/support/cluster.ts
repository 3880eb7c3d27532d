import { spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { MigrationService } from '../../src/domains/migrations/service.js'
import { type Home, prepareHome } from '../../src/platform/embedded/home.js'
import { PostgresProcess } from '../../src/platform/embedded/postgres-process.js'
import { findPostmaster } from '../../src/platform/embedded/postmaster.js'
import { hasEnded, signal } from '../../src/platform/embedded/process-identity.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { exactTypes } from '../../src/platform/postgres/types.js'
import { waitFor } from './wait-for.js'

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url))
const STOP_MS = 20_000

/** A PostgreSQL of one test alone, that may be stopped, killed, copied and promoted. */
export class Cluster {
  readonly #home: Home
  readonly #process: PostgresProcess

  private constructor(directory: string) {
    this.#home = prepareHome(directory)
    this.#process = new PostgresProcess(this.#home, () => {})
  }

  /** Creates and starts one, migrated, and removes it after the test. */
  static async start(): Promise<Cluster> {
    const cluster = Cluster.#at(newDirectory())
    await cluster.start()
    const deps = { builtInDir: MIGRATIONS, operatorDir: null, appVersion: 'test' }
    const endpoint = parseDatabaseUrl(cluster.url)
    await new MigrationService({ endpoint, ...deps }).applyBuiltIn()
    return cluster
  }

  static #at(directory: string): Cluster {
    const cluster = new Cluster(directory)
    onTestFinished(async () => {
      cluster.thaw()
      await cluster.stop('immediate')
      rmSync(directory, { recursive: true, force: true })
      rmSync(cluster.#home.sockets, { recursive: true, force: true })
    })
    return cluster
  }

  /** The database over the socket. */
  get url(): string {
    return `postgresql://postgres@/catalyst?host=${this.#home.sockets}&port=5432&sslmode=disable`
  }

  get sockets(): string {
    return this.#home.sockets
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    await this.#process.ensure()
  }

  /** `fast` disconnects clients and writes a checkpoint, `immediate` is a crash. */
  async stop(how: 'fast' | 'immediate'): Promise<void> {
    const found = findPostmaster(this.#home.cluster)
    if (!found) return
    signal(found.process.pid, how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    if (!(await hasEnded(found.process, STOP_MS))) throw new Error('PostgreSQL does not stop')
  }

  /** Stops all of it where it stands, connections included, until `thaw`. */
  freeze(): void {
    this.#toAll('SIGSTOP')
  }

  /** Lets it go on. */
  thaw(): void {
    this.#toAll('SIGCONT')
  }

  /** Only new connections hang; those that exist go on. */
  freezePostmaster(): void {
    const found = findPostmaster(this.#home.cluster)
    if (found) signal(found.process.pid, 'SIGSTOP')
  }

  /** Who may log in from now on: lines of pg_hba.conf before the one that lets `postgres` in. */
  async letIn(...lines: string[]): Promise<void> {
    const always = 'local all postgres trust\nlocal replication postgres trust\n'
    writeFileSync(
      join(this.#home.cluster, 'pg_hba.conf'),
      lines.map((line) => `${line}\n`).join('') + always,
    )
    await this.query('select pg_reload_conf()')
  }

  /** The database over the socket, for another role. */
  urlFor(login: string, database = 'catalyst'): string {
    return this.url.replace('postgres@', `${login}@`).replace('/catalyst?', `/${database}?`)
  }

  /** Settings for its next start. */
  configure(settings: Readonly<Record<string, string>>): void {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`)
    appendFileSync(join(this.#home.cluster, 'postgresql.auto.conf'), lines.join(''))
  }

  /** A standby of this cluster, streaming over `connection`; this one is stopped and started for it. */
  async startStandby(connection: string): Promise<Cluster> {
    await this.stop('fast')
    const standby = Cluster.#at(newDirectory())
    cpSync(this.#home.cluster, standby.#home.cluster, { recursive: true })
    await this.start()
    writeFileSync(join(standby.#home.cluster, 'standby.signal'), '')
    standby.configure({ primary_conninfo: `${connection} user=postgres application_name=standby` })
    await standby.start()
    await waitFor(async () => (await this.query('select 1 from pg_stat_replication')).length > 0, {
      what: 'a standby that streams',
    })
    return standby
  }

  /** The postmaster and its children. */
  #toAll(name: 'SIGSTOP' | 'SIGCONT'): void {
    const found = findPostmaster(this.#home.cluster)
    if (!found) return
    const pids = [found.process.pid, ...childrenOf(found.process.pid)]
    for (const pid of pids) signal(pid, name)
  }

  /** Makes a standby the primary, and waits until it is. */
  async promote(): Promise<void> {
    await this.query('select pg_promote()')
  }

  /** Runs one statement on a connection of its own. */
  async query<Row extends pg.QueryResultRow>(
    text: string,
    values?: unknown[],
    database = 'catalyst',
  ): Promise<Row[]> {
    const client = new pg.Client({
      connectionString: this.urlFor('postgres', database),
      application_name: 'test',
      types: exactTypes,
    })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Row>(text, values)).rows
    } finally {
      await client.end()
    }
  }
}

const childrenOf = (pid: number): number[] =>
  spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map(Number)

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cluster-'))
  chmodSync(directory, 0o755)
  return directory
}
