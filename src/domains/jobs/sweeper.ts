import { randomUUID } from 'node:crypto'
import { toErrorBody } from '../../errors.js'
import { Loop } from '../../lib/loop.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import { type Log, referenceLog } from '../../platform/log.js'
import type { Database } from '../../platform/postgres/database.js'
import type { WorkerConnection } from '../../platform/postgres/worker-connection.js'
import { cancelledError, serverLostError } from './endings.js'
import { report } from './job-transaction.js'
import * as statements from './sql.js'

interface SweeperDeps {
  readonly connection: WorkerConnection
  readonly database: Database
  readonly log: Log
  readonly outage: SharedOutage
  /** Called after a commit that changed a job. */
  readonly committed: (jobId: string) => void
}

const SWEEP_MS = 2_000
/** A job whose heartbeat has not moved for so long has lost its server. */
const SILENCE_MS = 10_000
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
  /** Since when each running job has stood exactly as it does. */
  #unchanged = new Map<string, number>()
  #retainedAt = Number.NEGATIVE_INFINITY
  readonly #loop: Loop

  constructor(deps: SweeperDeps) {
    this.#deps = deps
    this.#loop = new Loop({
      everyMs: SWEEP_MS,
      outage: deps.outage.of('the watch over jobs'),
      work: () => this.#sweep(),
    })
  }

  /** Begins to look every few seconds. */
  start(): void {
    this.#loop.start()
  }

  /** Ends; a look that is under way is waited for. */
  async stop(): Promise<void> {
    await this.#loop.stop()
  }

  async #sweep(): Promise<void> {
    const aged = this.#age(await this.#running())
    for (const { job, forMs } of aged) if (forMs >= SILENCE_MS) await this.#reap(job)
    await this.#retain()
  }

  async #running(): Promise<statements.RunningJob[]> {
    try {
      return await this.#deps.connection.many(statements.runningJobs())
    } catch (error) {
      // Nobody's silence counts while this server does not see the database itself.
      this.#unchanged.clear()
      throw error
    }
  }

  #age(jobs: readonly statements.RunningJob[]) {
    const now = performance.now()
    const before = this.#unchanged
    this.#unchanged = new Map()
    return jobs.map((job) => {
      const standing = `${job.job_id} ${job.attempt} ${job.heartbeat_at}`
      const since = before.get(standing) ?? now
      this.#unchanged.set(standing, since)
      return { job, forMs: now - since }
    })
  }

  async #reap(job: statements.RunningJob): Promise<void> {
    const { database, log, committed } = this.#deps
    const reference = randomUUID()
    const bodies = {
      lost: toErrorBody(serverLostError(), reference),
      cancelled: toErrorBody(cancelledError(), reference),
    }
    const reaped = await database.transaction(async (tx) => {
      const now = await tx.maybeOne(statements.reapJob(job, MAX_CRASHES, bodies))
      if (now) await report(tx, now)
      return now
    })
    if (!reaped) return
    referenceLog(log).warn({ ...reaped, reference }, 'the server that ran a job has died')
    committed(reaped.job_id)
  }

  async #retain(): Promise<void> {
    if (performance.now() - this.#retainedAt < RETENTION_CHECK_MS) return
    this.#retainedAt = performance.now()
    const { database } = this.#deps
    while ((await database.run(statements.forgetJobs(RETENTION_DAYS, BATCH))) === BATCH);
  }
}
