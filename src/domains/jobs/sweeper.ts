import { randomUUID } from 'node:crypto'
import { toErrorBody } from '../../errors.js'
import { Outage } from '../../lib/outage.js'
import type { JobQueue } from '../../platform/jobs/job-queue.js'
import { type Log, referenceLog } from '../../platform/log.js'
import type { Database } from '../../platform/postgres/database.js'
import type { WorkerConnection } from '../../platform/postgres/worker-connection.js'
import { cancelledError, serverLostError } from './endings.js'
import { announce, reportEnd } from './job-transaction.js'
import * as statements from './sql.js'

interface SweeperDeps {
  readonly connection: WorkerConnection
  readonly database: Database
  readonly queue: JobQueue
  readonly log: Log
  /** Called after a commit that changed a job. */
  readonly committed: (jobId: string) => void
}

const SWEEP_MS = 2_000
/** A job whose heartbeat has not moved for so long has lost its server. */
const SILENCE_MS = 10_000
/** A job that waited for so long is announced once more: the announcement may be lost. */
const FORGOTTEN_MS = 60_000
/** Whatever kills a server so often is likely the job itself. */
const MAX_CRASHES = 3
const BATCH = 1_000
const RETENTION_DAYS = 7
const RETENTION_CHECK_MS = 60 * 60 * 1_000

/**
 * Finds jobs whose server has died, and forgets those that ended long ago. Silence is measured by
 * this server's own clock while it can see the database itself: neither clocks that differ nor a
 * database that was away make a living server look dead.
 */
export class JobSweeper {
  readonly #deps: SweeperDeps
  /** Since when each unfinished job has stood exactly as it does. */
  #unchanged = new Map<string, number>()
  #retainedAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #sweeping: Promise<void> | null = null
  readonly #outage: Outage

  constructor(deps: SweeperDeps) {
    this.#deps = deps
    this.#outage = new Outage(deps.log, 'the watch over jobs')
  }

  /** Begins to look every few seconds. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#sweep().finally(() => {
        this.#sweeping = null
      })
    }, SWEEP_MS).unref()
  }

  /** Ends; a look that is under way is waited for. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    await this.#sweeping
  }

  async #sweep(): Promise<void> {
    try {
      const jobs = await this.#deps.connection.many(statements.unfinishedJobs(BATCH))
      for (const { job, forMs } of this.#age(jobs)) {
        if (job.state === 'running' && forMs >= SILENCE_MS) await this.#reap(job)
        if (job.state === 'queued' && forMs >= FORGOTTEN_MS) await this.#remind(job)
      }
      await this.#retain()
      this.#outage.over()
    } catch (error) {
      this.#unchanged.clear()
      this.#outage.failed(error)
    }
  }

  #age(jobs: readonly statements.UnfinishedJob[]) {
    const now = performance.now()
    const before = this.#unchanged
    this.#unchanged = new Map()
    return jobs.map((job) => {
      const standing = `${job.job_id} ${job.state} ${job.attempt} ${job.heartbeat_at}`
      const since = before.get(standing) ?? now
      this.#unchanged.set(standing, since)
      return { job, forMs: now - since }
    })
  }

  async #reap(job: statements.UnfinishedJob): Promise<void> {
    const { database, queue, log, committed } = this.#deps
    const reference = randomUUID()
    const bodies = {
      lost: toErrorBody(serverLostError(), reference),
      cancelled: toErrorBody(cancelledError(), reference),
    }
    const reaped = await database.transaction(async (tx) => {
      const now = await tx.maybeOne(statements.reapJob(job, MAX_CRASHES, bodies))
      if (now?.state === 'queued') await announce(queue, tx, now)
      else if (now) await reportEnd(tx, now)
      return now
    })
    if (!reaped) return
    referenceLog(log).warn({ ...reaped, reference }, 'the server that ran a job has died')
    committed(reaped.job_id)
    queue.poke()
  }

  async #remind(job: statements.UnfinishedJob): Promise<void> {
    const { database, queue } = this.#deps
    await database.transaction((tx) => announce(queue, tx, job))
    queue.poke()
  }

  async #retain(): Promise<void> {
    if (performance.now() - this.#retainedAt < RETENTION_CHECK_MS) return
    this.#retainedAt = performance.now()
    const { database } = this.#deps
    while ((await database.run(statements.forgetJobs(RETENTION_DAYS, BATCH))) === BATCH);
  }
}
