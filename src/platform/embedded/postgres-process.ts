import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import { findPostgres, type PostgresBinaries } from './binaries.js'
import { connectionString, openDatabase } from './catalyst-database.js'
import { ensureCluster } from './cluster.js'
import { clusterOwner, grantHome, type Home } from './home.js'
import { LogFile } from './log-file.js'
import {
  endOrphanedBackends,
  findPostmaster,
  type Postmaster,
  removeStaleLocks,
} from './postmaster.js'
import { Launch, PORT } from './postmaster-launch.js'
import { chooseRunner, type Runner } from './privileges.js'
import { hasEnded, type ProcessIdentity, signal } from './process-identity.js'
import type { Report } from './report.js'

const POLL_MS = 10
/** Backends of a killed postmaster, or a connection refused while a state changes, pass by then. */
const TRANSIENT_MS = 15_000
const STILL_WAITING_EVERY_MS = 10_000
const FAST_STOP_MS = 10_000
const IMMEDIATE_STOP_MS = 10_000

/** A PostgreSQL that accepts connections. */
export interface RunningPostgres {
  readonly process: ProcessIdentity
  readonly connectionString: string
  readonly version: string
  readonly since: Date
  /** It was running before and was taken over. */
  readonly adopted: boolean
}

/**
 * The embedded PostgreSQL of one data directory. Its methods change what other servers share, so
 * they are called under the transition lock.
 */
export class PostgresProcess {
  readonly log: LogFile
  readonly #home: Home
  readonly #report: Report
  #means: { readonly binaries: PostgresBinaries; readonly runner: Runner } | undefined
  #hasRun = false

  constructor(home: Home, report: Report) {
    this.#home = home
    this.#report = report
    this.log = new LogFile(join(home.root, 'postgres.log'))
  }

  /**
   * Adopts the running postmaster or starts one, whatever the last one left. Looks again after
   * every step instead of trusting the step: a server killed a moment ago may have left a
   * postmaster that is starting, stopping, or has not yet written its pid file. In the last case
   * PostgreSQL's own lock makes the second one exit, and the first one is found and adopted.
   *
   * There is no time-out while a postmaster lives: a recovery takes what it takes, and stopping it
   * would only make the next one begin again.
   */
  async ensure(abort?: AbortSignal): Promise<RunningPostgres> {
    const begun = Date.now()
    const sayStillWaiting = this.#stillWaiting(begun)
    let launch: Launch | null = null
    let readySince: number | undefined
    for (;;) {
      const found = findPostmaster(this.#home.cluster)
      if (found?.isReady) {
        readySince ??= Date.now()
        const version = await this.#tryOpen(found, readySince)
        if (version) {
          this.#hasRun = true
          return describe(found, version, found.process.pid !== launch?.pid)
        }
      } else if (found) {
        abort?.throwIfAborted()
        sayStillWaiting()
      } else if (!launch || launch.hasFailed) {
        launch = await this.#relaunch(launch, begun)
      }
      await sleep(POLL_MS)
    }
  }

  /**
   * Fast shutdown (clients are disconnected, a checkpoint is written), then immediate shutdown,
   * which recovers at the next start. Never SIGKILL: it would leave shared memory and backends.
   */
  async stop(): Promise<void> {
    const found = findPostmaster(this.#home.cluster)
    if (!found) return
    signal(found.process.pid, 'SIGINT')
    if (await hasEnded(found.process, FAST_STOP_MS)) return
    this.#report('warn', 'Embedded PostgreSQL is slow to stop: stopping it at once', {
      pid: found.process.pid,
    })
    signal(found.process.pid, 'SIGQUIT')
    if (await hasEnded(found.process, IMMEDIATE_STOP_MS)) return
    throw new AppError('unavailable', `PostgreSQL (process ${found.process.pid}) does not stop.`, {
      hint: `Read ${this.log.path}.`,
    })
  }

  /** Null while the server is changing its state; an error when it has been for too long. */
  async #tryOpen(postmaster: Postmaster, readySince: number): Promise<string | null> {
    try {
      return await openDatabase(postmaster)
    } catch (error) {
      if (Date.now() - readySince < TRANSIENT_MS) return null
      throw new AppError('unavailable', 'The embedded PostgreSQL runs but accepts no connection.', {
        hint: `Read ${this.log.path}.`,
        cause: error,
      })
    }
  }

  async #relaunch(last: Launch | null, begun: number): Promise<Launch> {
    if (last) this.#throwUnlessTransient(last, begun)
    await this.#throwIfForeign(begun)
    this.#throwIfVanished()
    const { binaries, runner } = this.#findMeans()
    grantHome(this.#home, runner.owner)
    if (await ensureCluster(this.#home.cluster, binaries, runner)) {
      this.#report('info', 'Created the embedded database', { directory: this.#home.cluster })
    }
    endOrphanedBackends(this.#home.cluster)
    removeStaleLocks(this.#home.cluster, this.#home.sockets, PORT)
    return new Launch(binaries, runner, this.#home, this.log)
  }

  /** Found only when something has to be started: adopting needs no program. */
  #findMeans() {
    if (!this.#means) {
      const binaries = findPostgres(this.#home.libraries)
      this.#means = { binaries, runner: chooseRunner(binaries, clusterOwner(this.#home)) }
    }
    return this.#means
  }

  /** A database that was there is never replaced by an empty one behind the back of its users. */
  #throwIfVanished(): void {
    if (!this.#hasRun || clusterOwner(this.#home)) return
    throw new AppError('unavailable', `The database in ${this.#home.cluster} has disappeared.`, {
      hint: 'Put the directory back, or restore a backup, and start again.',
      retryable: false,
    })
  }

  #throwUnlessTransient(last: Launch, begun: number): void {
    if (last.metAnother() && Date.now() - begun < TRANSIENT_MS) return
    throw new AppError('unavailable', `The embedded PostgreSQL did not start: ${last.reason()}`, {
      hint: `Read ${this.log.path}, or set DATABASE_URL.`,
    })
  }

  /**
   * A socket that answers although no postmaster is to be seen belongs to one in another container
   * that shares this directory. Starting a second one there would destroy the data, and the pids
   * and shared memory by which PostgreSQL would notice do not reach across containers.
   */
  async #throwIfForeign(begun: number): Promise<void> {
    const path = join(this.#home.sockets, `.s.PGSQL.${PORT}`)
    while (await answers(path)) {
      if (findPostmaster(this.#home.cluster)) return
      if (Date.now() - begun > TRANSIENT_MS) {
        throw new AppError(
          'unavailable',
          `${path} answers, but its PostgreSQL is not visible here.`,
          {
            hint: 'Another container uses this data directory: stop it, or set CATALYST_DATA_DIR.',
            retryable: false,
          },
        )
      }
      await sleep(POLL_MS)
    }
  }

  #stillWaiting(begun: number): () => void {
    let next = begun + STILL_WAITING_EVERY_MS
    return () => {
      if (Date.now() < next) return
      next += STILL_WAITING_EVERY_MS
      this.#report('warn', 'Still waiting for the embedded PostgreSQL (recovery or shutdown)', {
        seconds: Math.round((Date.now() - begun) / 1000),
        log: this.log.path,
      })
    }
  }
}

const describe = (
  { process, since, sockets, port }: Postmaster,
  version: string,
  adopted: boolean,
): RunningPostgres => ({
  process,
  since,
  version,
  adopted,
  connectionString: connectionString(sockets, port),
})

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
