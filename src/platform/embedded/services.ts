import { unsupportedPlatform } from './binaries.js'
import { type Home, prepareHome } from './home.js'
import { Membership } from './membership.js'
import { PostgresProcess, type RunningPostgres } from './postgres-process.js'
import { RedisProcess, type RunningRedis } from './redis-process.js'
import type { Report } from './report.js'
import { SharedService } from './shared-service.js'
import { Supervisor } from './supervisor.js'
import { withTransitionLock } from './transition-lock.js'

const ROTATE_LOGS_EVERY_MS = 60_000

/** What a server asks of the embedded services of a data directory. */
export interface EmbeddedOptions {
  readonly dataDir: string
  readonly postgres: boolean
  readonly redis: boolean
  readonly log: Report
}

/** The services as they are now: a restart changes `since` and `adopted`, never an address. */
export interface EmbeddedServices {
  /** Null when it was not asked for. */
  readonly postgres: Omit<RunningPostgres, 'process'> | null
  /** Null when it was not asked for, when PATH has no such program, or when it does not start. */
  readonly redis: Omit<RunningRedis, 'process'> | null
  /** Leaves; the last server to leave stops what runs. May be called more than once. */
  release(): Promise<void>
}

/**
 * Uses the PostgreSQL and Redis of a data directory together with every other server that does:
 * adopts what runs, starts what does not, and brings back what dies until `release`.
 *
 * @throws AppError `unavailable` or `not_supported` whose hint says what to do
 */
export async function joinEmbedded(options: EmbeddedOptions): Promise<EmbeddedServices> {
  if (process.platform === 'win32') return withoutServices(options)
  const joined = new JoinedServices(prepareHome(options.dataDir), options)
  await joined.join()
  return joined
}

/** On Windows a postmaster cannot be told to stop by a signal, nor be known by its start time. */
function withoutServices({ postgres }: EmbeddedOptions): EmbeddedServices {
  if (postgres) throw unsupportedPlatform()
  return { postgres: null, redis: null, release: async () => {} }
}

/**
 * One server's share in the services. Joining, leaving and bringing back are transitions and
 * exclude each other across processes, so a server that comes while the last one leaves waits for
 * the stop and then starts afresh, and one that comes before it keeps the services running. Entering
 * precedes starting, so a server killed half-way is seen as dead, not as never having been there.
 */
class JoinedServices implements EmbeddedServices {
  readonly #home: Home
  readonly #report: Report
  readonly #membership: Membership
  readonly #postgres: SharedService<RunningPostgres> | null
  readonly #redis: SharedService<RunningRedis> | null
  #supervisors: Supervisor[] = []
  #rotation: NodeJS.Timeout | undefined
  #released: Promise<void> | undefined

  constructor(home: Home, { postgres, redis, log }: EmbeddedOptions) {
    this.#home = home
    this.#report = log
    this.#membership = new Membership(home.run)
    this.#postgres = postgres ? new SharedService('postgres', new PostgresProcess(home, log)) : null
    this.#redis = redis ? new SharedService('redis', new RedisProcess(home)) : null
  }

  get postgres(): RunningPostgres | null {
    return this.#postgres?.running ?? null
  }

  get redis(): RunningRedis | null {
    return this.#redis?.running ?? null
  }

  async join(): Promise<void> {
    await this.#transition(async () => {
      this.#membership.enter(this.#services().map(({ name }) => name))
      try {
        await settle([this.#startPostgres(), this.#startRedis()])
      } catch (error) {
        await this.#leave()
        throw error
      }
    })
    this.#supervise()
  }

  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<void> {
    clearInterval(this.#rotation)
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.stop()))
    await this.#transition(() => this.#leave())
  }

  /** Stops what no other server uses. */
  async #leave(): Promise<void> {
    this.#membership.leave()
    const used = this.#membership.used()
    const unused = this.#services().filter(({ name }) => !used.has(name))
    await settle(unused.map((service) => service.stop()))
  }

  async #startPostgres(): Promise<void> {
    const begun = performance.now()
    const running = await this.#postgres?.ensure()
    if (!running) return
    const { version, adopted, process } = running
    this.#report('info', `${adopted ? 'Adopted' : 'Started'} embedded PostgreSQL ${version}`, {
      pid: process.pid,
      duration_ms: Math.round(performance.now() - begun),
    })
  }

  /** A cache is never a reason not to serve: the caller has one in process to fall back on. */
  async #startRedis(): Promise<void> {
    if (!this.#redis) return
    try {
      const running = await this.#redis.ensure()
      if (!running) return this.#report('info', 'PATH has no valkey-server or redis-server')
      const { adopted, program, process } = running
      this.#report('info', `${adopted ? 'Adopted' : 'Started'} embedded ${program}`, {
        pid: process.pid,
      })
    } catch (error) {
      this.#report('warn', 'The embedded Redis does not start', { error })
    }
  }

  #supervise(): void {
    const running = this.#services().filter((service) => service.running !== null)
    this.#supervisors = running.map(
      (service) =>
        new Supervisor(
          {
            name: service.name,
            isAlive: () => service.isAlive(),
            restore: (abort) => this.#transition(() => service.restore(abort), abort),
          },
          this.#report,
        ),
    )
    this.#rotation = setInterval(() => {
      for (const service of running) service.rotateLog()
    }, ROTATE_LOGS_EVERY_MS).unref()
  }

  #services() {
    return [this.#postgres, this.#redis].filter((service) => service !== null)
  }

  #transition<T>(task: () => Promise<T>, abort?: AbortSignal): Promise<T> {
    return withTransitionLock(this.#home.run, task, abort)
  }
}

/** Waits for all of them even when one fails, for what still runs must not outlive the lock. */
async function settle(tasks: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(tasks)) {
    if (result.status === 'rejected') throw result.reason
  }
}
