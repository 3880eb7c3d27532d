import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type PgBoss from 'pg-boss'
import { AppError, abortError } from '../../errors.js'
import { Backoff } from '../../lib/backoff.js'
import { Outage } from '../../lib/outage.js'
import { WakeUp } from '../../lib/wake-up.js'
import type { Log } from '../log.js'

/** Runs the queue's own SQL. */
export interface SqlExecutor {
  // biome-ignore lint/suspicious/noExplicitAny: the library knows the rows of its own statements
  executeSql(text: string, values?: readonly unknown[]): Promise<{ rows: any[] }>
}

interface JobQueueDeps {
  readonly connection: SqlExecutor
  readonly log: Log
  /** How many more jobs may be handed over now. */
  readonly free: () => number
  /** Whether this server can run jobs of that tool: another version may have announced it. */
  readonly serves: (tool: string) => boolean
  /** Takes over one job; resolves as soon as it is taken, not when it is done. */
  readonly deliver: (jobId: string) => Promise<void>
}

/** What is announced. */
interface Announcement {
  readonly job_id: string
  readonly tool: string
}

const SCHEMA = 'catalyst_jobs'
const QUEUE = 'jobs'
/** At most so long until a server sees what another one has announced and could not run itself. */
const POLL_MS = 2_000
/** A call right after the start waits for the queue's tables to be made. */
const READY_MS = 10_000
/** A server that took an announcement and died before it took the job over held it for so long. */
const EXPIRE_SECONDS = 30
/** What a server cannot take is offered again, to whoever looks first. */
const RETRIES = { retryLimit: 100, retryDelay: 1 }
const MAINTENANCE_SECONDS = 60

/**
 * Says which jobs are to be run, to one server each: pg-boss, used as nothing but a durable queue of
 * ids. What is wrong with it heals by starting over, for the table of jobs is the truth.
 */
export class JobQueue {
  readonly #deps: JobQueueDeps
  readonly #outage: Outage
  readonly #stopped = new AbortController()
  readonly #attempts = new EventTarget()
  /** Never started: it only knows how to write announcements into transactions of others. */
  #sender: Promise<PgBoss> | null = null
  #boss: PgBoss | null = null
  #isInstalled = false
  /** Why the last attempt to begin or to take something has failed. */
  #trouble: unknown = null
  #failure: unknown = null
  readonly #wakeUp = new WakeUp()
  #running: Promise<void> = Promise.resolve()

  constructor(deps: JobQueueDeps) {
    this.#deps = deps
    this.#outage = new Outage(deps.log, 'the job queue')
  }

  /** Why nothing can be announced or taken now; null while all is well, and before the first attempt. */
  get trouble(): unknown {
    return this.#trouble
  }

  /** Begins in the background; while the database is away it keeps trying. */
  start(): void {
    this.#running = this.#run()
  }

  /** Takes nothing more; what was announced stays there for others. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.poke()
    await this.#running
  }

  /** Looks at once instead of at the next poll. */
  poke(): void {
    this.#wakeUp.call()
  }

  /**
   * Waits until the queue has its tables.
   *
   * @throws AppError `unavailable` when they cannot be made, or not in time; why `signal` was aborted
   */
  async ready(signal: AbortSignal): Promise<void> {
    const limits = [signal, this.#stopped.signal, AbortSignal.timeout(READY_MS)]
    const patience = AbortSignal.any(limits)
    while (!this.#isInstalled) {
      if (this.#trouble !== null) throw notReady(this.#trouble)
      await once(this.#attempts, 'end', { signal: patience }).catch((cause: unknown) => {
        throw signal.aborted ? abortError(signal) : notReady(cause)
      })
    }
  }

  /** Announces a job inside the transaction that makes it runnable; twice is as good as once. */
  async announce(announcement: Announcement, transaction: SqlExecutor): Promise<void> {
    const db = { executeSql: transaction.executeSql }
    const options = { singletonKey: announcement.job_id, db, ...RETRIES }
    this.#sender ??= this.#construct()
    await (await this.#sender).send(QUEUE, announcement, options)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    const backoff = new Backoff({ firstMs: 100, maxMs: 5_000 })
    while (!signal.aborted) {
      try {
        this.#boss ??= await this.#install()
        this.#wakeUp.answer()
        await this.#take(this.#boss)
        this.#trouble = null
        backoff.reset()
        this.#outage.over()
        // With jitter, so that no server always looks just before another one.
        if (!signal.aborted) await this.#wakeUp.rest(POLL_MS * (0.5 + Math.random() / 2))
      } catch (error) {
        this.#outage.failed(error)
        this.#trouble = error
        this.#attempts.dispatchEvent(new Event('end'))
        await this.#uninstall()
        await delay(backoff.next(), undefined, { signal }).catch(() => {})
      }
    }
    await this.#uninstall()
  }

  /** The library is loaded when it is first needed, which is after the server has started. */
  async #construct(): Promise<PgBoss> {
    const { default: PgBoss } = await import('pg-boss')
    const boss = new PgBoss({
      db: { executeSql: (text, values) => this.#execute(text, values) },
      schema: SCHEMA,
      schedule: false,
      maintenanceIntervalSeconds: MAINTENANCE_SECONDS,
      archiveCompletedAfterSeconds: 60 * 60,
      deleteAfterDays: 1,
    })
    boss.on('error', (error) => this.#outage.failed(error))
    return boss
  }

  /** Makes what is missing; one that failed to start cannot be started again. */
  async #install(): Promise<PgBoss> {
    const boss = await this.#construct()
    try {
      await boss.start()
      // One announcement of a job waits at a time.
      const options = { name: QUEUE, policy: 'short', expireInSeconds: EXPIRE_SECONDS } as const
      await boss.createQueue(QUEUE, options)
    } catch (error) {
      await boss.stop({ graceful: false })
      throw error
    }
    this.#isInstalled = true
    this.#attempts.dispatchEvent(new Event('end'))
    return boss
  }

  async #uninstall(): Promise<void> {
    const boss = this.#boss
    this.#boss = null
    this.#failure = null
    await boss?.stop({ graceful: false })
  }

  async #take(boss: PgBoss): Promise<void> {
    for (;;) {
      const batchSize = this.#deps.free()
      if (batchSize <= 0 || this.#stopped.signal.aborted) return
      this.#failure = null
      const announced = await boss.fetch<Announcement>(QUEUE, { batchSize })
      // fetch() answers nothing when its statement fails. What it did answer is ours alone for
      // EXPIRE_SECONDS, so it is delivered whatever else has failed.
      if (announced.length === 0 && this.#failure !== null) throw this.#failure
      await this.#deliver(boss, announced)
      if (announced.length < batchSize) return
    }
  }

  async #deliver(boss: PgBoss, announced: readonly PgBoss.Job<Announcement>[]): Promise<void> {
    const { serves, deliver } = this.#deps
    const ours = announced.filter(({ data }) => serves(data.tool))
    const others = announced.filter((job) => !ours.includes(job))
    const taken = await Promise.allSettled(ours.map(({ data }) => deliver(data.job_id)))
    const done = ours.filter((_, n) => taken[n]?.status === 'fulfilled')
    const back = [...others, ...ours.filter((job) => !done.includes(job))]
    if (done.length > 0) await boss.complete(QUEUE, idsOf(done))
    if (back.length > 0) await boss.fail(QUEUE, idsOf(back))
    for (const result of taken) if (result.status === 'rejected') throw result.reason
  }

  async #execute(text: string, values?: readonly unknown[]) {
    try {
      return await this.#deps.connection.executeSql(text, values)
    } catch (error) {
      this.#failure = error
      throw error
    }
  }
}

const idsOf = (jobs: readonly PgBoss.Job<Announcement>[]): string[] => jobs.map(({ id }) => id)

const notReady = (cause: unknown): AppError =>
  new AppError('unavailable', 'The job queue is not ready.', {
    hint: 'Nothing was started. Read catalyst://db/status, then send the same call again.',
    cause,
  })
