import { AppError, recallError, toErrorBody } from '../../errors.js'
import type { Loops } from '../../kernel/loops.js'
import type { Caller } from '../../lib/caller.js'
import type { Job, JobRequest, ServedJobTool } from '../../lib/job.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import type { Trouble } from '../../lib/tls-trouble.js'
import type { Log } from '../../platform/log.js'
import { troubleOf } from '../../platform/postgres/connection-trouble.js'
import type { Database } from '../../platform/postgres/database.js'
import type { EventLog } from '../../platform/postgres/event-log.js'
import type { OwnConnection } from '../../platform/postgres/own-connection.js'
import { cancelledError } from './endings.js'
import { JobNews } from './job-news.js'
import type { JobRun } from './job-run.js'
import { report } from './job-transaction.js'
import { JobQueue } from './queue.js'
import * as statements from './sql.js'
import { JobStarter, type Started } from './starter.js'
import { JobSweeper } from './sweeper.js'
import { Waiting } from './waiting.js'
import { JobWorker } from './worker.js'

/** What jobs are made from. */
export interface JobDeps {
  readonly database: Database
  /** For leases: must not wait behind the users of the pool. */
  readonly connection: OwnConnection
  readonly serverId: string
  readonly loops: Loops
  readonly outage: SharedOutage
  readonly log: Log
  /** How long a call waits for its job before it answers that it is still running. */
  readonly waitMs: number
  /** The job tools that are served here. */
  readonly tools: () => ReadonlyMap<string, ServedJobTool>
  /** Called when a job is another one. */
  readonly changed: (jobId: string) => void
}

/** What a call of a job tool answers while the work goes on. */
interface StillRunning {
  readonly status: 'running'
  readonly job_id: string
}

/** `cancel_job` answers with the end of the job when that comes so soon. */
const CANCEL_WAIT_MS = 2_000
const UNKNOWN_TROUBLE: Trouble = {
  cause: 'The job queue does not work.',
  fix: 'Look for "the job queue is interrupted" in the log of catalyst-db.',
}
const JOB_ID = /^job_[0-9a-f]{32}$/

/** Long operations that outlive the request, the connection and the server that started them. */
export class JobService {
  readonly #deps: JobDeps
  readonly #news = new JobNews()
  readonly #queue: JobQueue
  readonly #worker: JobWorker
  readonly #starter: JobStarter
  readonly #waiting: Waiting
  #closing: Promise<void> | null = null

  constructor(deps: JobDeps) {
    this.#deps = deps
    const { database, connection, serverId, loops, outage, log, tools } = deps
    this.#worker = new JobWorker({
      connection,
      news: this.#news,
      serverId,
      log,
      outage,
      end: (run, ending) => this.#end(run, ending),
      freed: () => this.#queue.poke(),
    })
    this.#queue = new JobQueue({
      connection,
      serverId,
      loops,
      tools,
      hasRoom: (lane) => this.#worker.hasRoom(lane),
      begin: (job, tool, asked) => this.#worker.begin(job, tool, asked),
    })
    const changed = (jobId: string) => this.#changed(jobId)
    new JobSweeper({ connection, database, loops, log, changed })
    this.#starter = new JobStarter({ database })
    const read = (jobId: string, principal: string) => this.get(jobId, principal)
    this.#waiting = new Waiting({ news: this.#news, read })
  }

  /** Why jobs cannot be run; null while they can, or soon will. */
  get trouble(): Trouble | null {
    const { trouble } = this.#queue
    if (trouble === null) return null
    if (!(trouble instanceof AppError)) return UNKNOWN_TROUBLE
    // A lost connection is made anew within seconds.
    return trouble.retryable ? null : troubleOf(trouble)
  }

  /** Takes no more jobs, hands on what runs, and lets those go who wait for others. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /**
   * Starts the job or joins the one with the same key, and waits for its answer for a while. Who
   * stops waiting stops nothing else.
   *
   * @throws AppError of the job when it failed
   */
  async call(request: JobRequest, caller: Caller) {
    const { job, isJoined } = await this.#start(request, caller)
    const answer = answerOf(await this.#waiting.wait(job, caller, this.#deps.waitMs))
    return { answer, replayed: isJoined }
  }

  /**
   * The job that this call with its key would join; null without one.
   *
   * @throws AppError `conflict` when the key was used with other arguments
   */
  find(request: JobRequest, caller: Caller): Promise<Job | null> {
    return this.#starter.find(request, caller)
  }

  /** Starts the job or joins the one with the same key. */
  async start(request: JobRequest, caller: Caller): Promise<Job> {
    return (await this.#start(request, caller)).job
  }

  /**
   * A job of this principal.
   *
   * @throws AppError `not_found`, also for the job of somebody else
   */
  async get(jobId: string, principal: string): Promise<Job> {
    const job = await this.#deps.database.maybeOne(statements.findJob(jobId, principal))
    return job ?? unknownJob()
  }

  /** The same, once it has ended or `waitMs` have passed. */
  async getWhenDone(jobId: string, caller: Caller, waitMs: number): Promise<Job> {
    return this.#waiting.wait(await this.get(jobId, caller.principal), caller, waitMs)
  }

  /** Asks a job to stop, wherever it runs; one that has ended stays as it is. */
  async cancel(jobId: string, principal: string): Promise<Job> {
    const error = toErrorBody(cancelledError(), jobId)
    const job = await this.#deps.database.transaction(async (tx) => {
      const asked = await tx.maybeOne(statements.cancelJob(jobId, principal, error))
      if (asked) await report(tx, asked)
      if (asked) await tx.one(statements.notify(statements.CANCELLED, jobId))
      return asked
    })
    if (!job) return this.get(jobId, principal)
    this.#worker.look(jobId)
    this.#changed(jobId)
    return job
  }

  /** The same, and waits a moment for the job to notice. */
  async cancelAndWait(jobId: string, caller: Caller): Promise<Job> {
    return this.#waiting.wait(await this.cancel(jobId, caller.principal), caller, CANCEL_WAIT_MS)
  }

  /** Learns from the event log what other servers do with jobs. To be called before that starts. */
  listen(eventLog: Pick<EventLog, 'listen' | 'subscribe'>): void {
    // A hint may be forged or late: it says where to look, and nothing else.
    eventLog.listen(statements.CHANGED, (id) => {
      if (JOB_ID.test(id)) this.#changed(id)
    })
    eventLog.listen(statements.CANCELLED, (id) => this.#worker.look(id))
    eventLog.listen(statements.WAITING, () => this.#queue.poke())
    eventLog.subscribe((events) => {
      const ended = events.filter(({ type }) => type === 'job.finished')
      for (const { data } of ended) this.#news.changed(String(data.job_id))
    })
  }

  /** What no server could run, because a pooler stands between, is not started. */
  async #start(request: JobRequest, caller: Caller): Promise<Started> {
    await this.#deps.connection.assertDirect()
    const started = await this.#starter.start(request, caller)
    // The notification waits for its turn on a connection that does other things too.
    this.#queue.poke()
    return started
  }

  async #close(): Promise<void> {
    // Who waits for a job of this server is to hear what becomes of it.
    await this.#worker.stop(this.#queue.stop())
    this.#waiting.end()
  }

  async #end(run: JobRun, ending: statements.Ending): Promise<boolean> {
    const { job } = run
    const isHeld = await this.#deps.database.transaction(async (tx) => {
      if ((await tx.run(statements.endRun(run.holder, ending))) === 0) return false
      await report(tx, { ...job, state: ending.state })
      return true
    })
    this.#changed(job.job_id)
    return isHeld
  }

  #changed(jobId: string): void {
    this.#news.changed(jobId)
    this.#deps.changed(jobId)
  }
}

function answerOf({ job_id, result, error }: Job): Record<string, unknown> | StillRunning {
  if (error) throw recallError(error)
  return result ?? { status: 'running', job_id }
}

function unknownJob(): never {
  throw new AppError('not_found', 'There is no such job.', {
    hint: 'Jobs are known to who started them, until 7 days after their end.',
  })
}
