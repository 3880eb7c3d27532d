import { spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'
import { MigrationService } from '../../src/domains/migrations/service.js'
import { findPostgres } from '../../src/platform/embedded/binaries.js'
import { clusterOwner, type Home, prepareHome } from '../../src/platform/embedded/home.js'
import { PostgresProcess } from '../../src/platform/embedded/postgres-process.js'
import { findPostmaster } from '../../src/platform/embedded/postmaster.js'
import { chooseRunner, commandFor } from '../../src/platform/embedded/privileges.js'
import { hasEnded, signal } from '../../src/platform/embedded/process-identity.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { exactTypes } from '../../src/platform/postgres/types.js'
import { freePort } from '../cache/redis-server.js'
import type { Certificate } from './certificates.js'
import { waitFor } from './wait-for.js'

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url))
const STOP_MS = 20_000

type AtEnd = (end: () => Promise<void>) => void

/** A PostgreSQL of one test alone, that may be stopped, killed, copied and promoted. */
export class Cluster {
  readonly #home: Home
  readonly #process: PostgresProcess
  #port = 5432

  private constructor(directory: string) {
    this.#home = prepareHome(directory)
    this.#process = new PostgresProcess(this.#home, () => {})
  }

  /**
   * Starts one, migrated: a copy of one that is made once per process. Removes it after the test, or after
   * the file with `afterAll` for `atEnd`.
   */
  static async start(atEnd: AtEnd = onTestFinished): Promise<Cluster> {
    Cluster.#template ??= Cluster.#makeTemplate()
    const directory = newDirectory()
    cpSync(await Cluster.#template, directory, { recursive: true })
    const cluster = Cluster.#at(directory, atEnd)
    await cluster.start()
    return cluster
  }

  static #template: Promise<string> | undefined

  /** Its files, in a directory that is removed after the run. */
  static async #makeTemplate(): Promise<string> {
    const directory = mkdtempSync(join(inject('scratch'), 'cluster-'))
    const cluster = new Cluster(directory)
    await cluster.start()
    const deps = { builtInDir: MIGRATIONS, operatorDir: null, appVersion: 'test' }
    await new MigrationService({ endpoint: parseDatabaseUrl(cluster.url), ...deps }).applyBuiltIn()
    await cluster.stop('fast')
    return directory
  }

  static #at(directory: string, atEnd: AtEnd = onTestFinished): Cluster {
    const cluster = new Cluster(directory)
    atEnd(async () => {
      cluster.thaw()
      await cluster.stop('immediate')
      rmSync(directory, { recursive: true, force: true })
      rmSync(cluster.#home.sockets, { recursive: true, force: true })
    })
    return cluster
  }

  /** The database over the socket. */
  get url(): string {
    return `postgresql://postgres@/catalyst?host=${this.#home.sockets}&port=${this.#port}&sslmode=disable`
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
    await this.#reload()
  }

  /** Has its files read again, and waits until new connections go by them. */
  async #reload(): Promise<void> {
    const loaded = 'select pg_conf_load_time()::text as at'
    const [before] = await this.query(`${loaded}, pg_reload_conf()`)
    await waitFor(async () => (await this.query(loaded))[0]?.at !== before?.at, {
      what: 'a configuration that was read',
    })
  }

  /** The database over the socket, for another role. */
  urlFor(login: string, database = 'catalyst'): string {
    return this.url.replace('postgres@', `${login}@`).replace('/catalyst?', `/${database}?`)
  }

  /**
   * Starts it anew, so that it listens on TCP as well: the embedded one, as the product runs it, never
   * does. Answers `127.0.0.1:port`.
   */
  async listen(): Promise<string> {
    await this.stop('fast')
    this.#port = await freePort()
    this.#launch('127.0.0.1')
    await waitFor(() => findPostmaster(this.#home.cluster)?.isReady === true, {
      what: 'a PostgreSQL that listens',
    })
    return `127.0.0.1:${this.#port}`
  }

  /** Starts it anew as one that recovers for ever and lets nobody in meanwhile, until `recovered`. */
  async recover(): Promise<void> {
    await this.stop('fast')
    this.configure({ hot_standby: 'off' })
    writeFileSync(join(this.#home.cluster, 'standby.signal'), '')
    this.#launch('')
    const refusal = () =>
      this.query('select 1').then(
        () => null,
        (error: unknown) => Reflect.get(Object(error), 'code'),
      )
    await waitFor(async () => (await refusal()) === '57P03', { what: 'a server that recovers' })
  }

  /** Ends that: it starts as a primary. */
  async recovered(): Promise<void> {
    await this.stop('immediate')
    rmSync(join(this.#home.cluster, 'standby.signal'))
    await this.start()
  }

  /** Tells it to stop when its clients have gone; until then it lets nobody in. */
  async stopWhenLeft(): Promise<void> {
    const found = findPostmaster(this.#home.cluster)
    if (found) signal(found.process.pid, 'SIGTERM')
    await waitFor(() => findPostmaster(this.#home.cluster)?.isReady !== true, {
      what: 'a server that stops',
    })
  }

  /** Starts it past the product's own way to. */
  #launch(address: string): void {
    const { cluster, sockets, libraries } = this.#home
    const binaries = findPostgres(libraries)
    const runner = chooseRunner(binaries, clusterOwner(this.#home))
    const { file, args } = commandFor(runner, binaries.postgres, [
      ...['-D', cluster, '-k', sockets, '-p', String(this.#port)],
      ...['-c', `listen_addresses=${address}`],
    ])
    spawn(file, args, { ...runner.identity, env: { ...binaries.env }, cwd: '/', stdio: 'ignore' })
  }

  /** Shows this certificate to connections that are made from now on; null ends TLS. */
  async show(certificate: Certificate | null): Promise<void> {
    if (certificate) {
      this.#adopt(certificate.cert, 'server.crt')
      this.#adopt(certificate.key, 'server.key')
    }
    this.configure({ ssl: certificate ? 'on' : 'off' })
    await this.#reload()
  }

  /** Knows clients by certificates of this authority from now on. */
  async trustClients(authority: string): Promise<void> {
    this.#adopt(authority, 'root.crt')
    this.configure({ ssl_ca_file: 'root.crt' })
    await this.#reload()
  }

  /** A file of the cluster's own, as PostgreSQL wants its key. */
  #adopt(path: string, name: string): void {
    const own = join(this.#home.cluster, name)
    copyFileSync(path, own)
    chmodSync(own, 0o600)
    const owner = clusterOwner(this.#home)
    if (owner) chownSync(own, owner.uid, owner.gid)
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
