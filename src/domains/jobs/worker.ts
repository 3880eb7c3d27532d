import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import { Backoff } from '../../lib/backoff.js'
import type { JobLane, JobProgress, ServedJobTool } from '../../lib/job.js'
import type { Attempts } from '../../lib/outage.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import { type Log, referenceLog } from '../../platform/log.js'
import type { OwnConnection } from '../../platform/postgres/own-connection.js'
import { cancelledError, ended, leaseLostError, serverStopsError, succeeded } from './endings.js'
import type { JobNews } from './job-news.js'
import { JobRun, type ProgressSink } from './job-run.js'
import * as statements from './sql.js'

interface WorkerDeps {
  /** For leases: must not wait behind the users of the pool. */
  readonly connection: OwnConnection
  readonly news: JobNews
  readonly serverId: string
  readonly log: Log
  readonly outage: SharedOutage
  /** Writes down what a run came to, and says so; false when the lease is no longer this server's. */
  readonly end: (run: JobRun, ending: statements.Ending) => Promise<boolean>
  /** There is room for another job. */
  readonly freed: () => void
}

/** A server does not run more jobs of a lane at a time; the others wait, or run elsewhere. */
const SLOTS: Readonly<Record<JobLane, number>> = { bulk: 8, interactive: 4 }
const HEARTBEAT_MS = 2_000
/** Well before any other server takes a silent job over, so that no two ever run it. */
const TRUST_LEASE_MS = 6_500
/** What runs gets this long to notice that the server ends. */
const STOP_MS = 4_000

interface Running {
  readonly run: JobRun
  readonly lane: JobLane
  readonly over: Promise<void>
}

/** Runs jobs in this process, and keeps saying that it is alive while it does. */
export class JobWorker implements ProgressSink {
  readonly #deps: WorkerDeps
  readonly #outage: Attempts
  readonly #failures: Log
  readonly #running = new Map<string, Running>()
  #heartbeat: NodeJS.Timeout | null = null
  #beating: Promise<void> | null = null
  #leasedAt = 0
  #isStopping = false

  constructor(deps: WorkerDeps) {
    this.#deps = deps
    this.#outage = deps.outage.of('keeping the leases of jobs')
    this.#failures = referenceLog(deps.log)
  }

  /** Whether one more job of this lane can be begun now. */
  hasRoom(lane: JobLane): boolean {
    const running = [...this.#running.values()].filter((one) => one.lane === lane)
    return running.length < SLOTS[lane]
  }

  /** Begins to run a job that this server has taken over; its lease was asked for at `asked`. */
  begin(job: statements.ClaimedJob, tool: ServedJobTool, asked: number): void {
    if (this.#running.size === 0) this.#leasedAt = asked
    const run = new JobRun(job, this.#deps.serverId, this)
    const over = this.#see(run, tool).finally(() => {
      this.#running.delete(job.job_id)
      this.#deps.freed()
    })
    this.#running.set(job.job_id, { run, lane: tool.lane, over })
    if (this.#isStopping) run.stop('server_stops', serverStopsError())
    this.#heartbeat ??= setInterval(() => this.#tick(), HEARTBEAT_MS).unref()
  }

  /** Looks at once whether a job that runs here was asked to stop. */
  look(jobId: string): void {
    if (this.#running.has(jobId)) void this.beat()
  }

  /** Keeps the leases of what runs here. */
  beat(): Promise<void> {
    this.#beating ??= this.#keepLeases().finally(() => {
      this.#beating = null
    })
    return this.#beating
  }

  /**
   * Stops what runs, so that others can go on with it, and waits until that is written down. After
   * `noneComes` nothing more is begun.
   */
  async stop(noneComes: Promise<void>): Promise<void> {
    this.#isStopping = true
    for (const { run } of this.#running.values()) run.stop('server_stops', serverStopsError())
    const patience = delay(STOP_MS, undefined, { ref: false })
    const over = noneComes.then(() =>
      Promise.all([...this.#running.values()].map((one) => one.over)),
    )
    await Promise.race([over, patience])
    if (this.#heartbeat) clearInterval(this.#heartbeat)
    await this.#beating
  }

  /** Tells whoever waits in this process how far a run is. */
  tell({ job }: JobRun, progress: JobProgress): void {
    this.#deps.news.progressed(job.job_id, progress)
  }

  /** Writes down how far a run is; the next time will be newer, so a failure is let go. */
  async store({ holder }: JobRun, progress: JobProgress): Promise<void> {
    try {
      await this.#deps.connection.many(statements.storeProgress(holder, progress))
    } catch (error) {
      this.#deps.log.debug({ err: error }, 'the progress of a job could not be stored')
    }
  }

  async #see(run: JobRun, tool: ServedJobTool): Promise<void> {
    this.#deps.news.changed(run.job.job_id)
    const ending = await this.#run(run, tool)
    run.over()
    await this.#writeDown(run, ending)
  }

  async #run(run: JobRun, tool: ServedJobTool): Promise<statements.Ending> {
    try {
      return succeeded(run, await tool.run(run.job.arguments, run.caller))
    } catch (error) {
      const ending = ended(run, error)
      const isDefect = ending.error?.code === 'internal_error'
      const { job_id, tool: name } = run.job
      const { reference } = run
      this.#failures[isDefect ? 'error' : 'info'](
        { err: error, job_id, tool: name, state: ending.state, reference },
        'a job did not succeed',
      )
      return ending
    }
  }

  /** What hours of work came to is not given up because the database is away for a moment. */
  async #writeDown(run: JobRun, ending: statements.Ending): Promise<void> {
    const backoff = new Backoff({ firstMs: 100, maxMs: 3_000 })
    const { reference } = run
    const { job_id } = run.job
    const waits = this.#deps.outage.of('writing down the end of a job')
    let written = ending
    for (;;) {
      try {
        if (!(await this.#deps.end(run, written))) {
          this.#deps.log.warn({ job_id, reference }, 'a job was taken over by another server')
        }
        waits.over()
        return
      } catch (error) {
        waits.failed(error, { job_id, reference })
        const isPassing = error instanceof AppError && error.retryable
        // What cannot be stored at all, such as a NUL character, would be refused for ever.
        if (!isPassing && written !== ending) return
        if (!isPassing) written = ended(run, error)
        else if (this.#isStopping) return
        else await delay(backoff.next())
      }
    }
  }

  async #keepLeases(): Promise<void> {
    const ids = [...this.#running.keys()]
    if (ids.length === 0) {
      if (this.#heartbeat) clearInterval(this.#heartbeat)
      this.#heartbeat = null
      this.#outage.over()
      return
    }
    const asked = performance.now()
    try {
      const { connection, serverId } = this.#deps
      const kept = await connection.many(statements.keepLeases(serverId, ids))
      this.#leasedAt = asked
      this.#outage.over()
      this.#stopLost(ids, kept)
    } catch (error) {
      this.#outage.failed(error)
    }
  }

  /** Not only when a heartbeat has failed: one that hangs is none either. */
  #tick(): void {
    const isTrusted = performance.now() - this.#leasedAt <= TRUST_LEASE_MS
    if (!isTrusted) this.#stopLost([...this.#running.keys()], [])
    void this.beat()
  }

  /** Stops the runs whose lease is not kept, and those that were asked to stop. */
  #stopLost(
    ids: readonly string[],
    kept: readonly { job_id: string; attempt: number; cancel_requested: boolean }[],
  ): void {
    const leases = new Map(kept.map((lease) => [lease.job_id, lease]))
    for (const id of ids) {
      const run = this.#running.get(id)?.run
      const lease = leases.get(id)
      if (lease?.attempt !== run?.job.attempt) run?.stop('lease_lost', leaseLostError())
      else if (lease?.cancel_requested) run?.stop('cancelled', cancelledError())
    }
  }
}
