import { createHash } from 'node:crypto'
import { AppError } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import { canonicalJson } from '../../lib/canonical-json.js'
import { newId } from '../../lib/ids.js'
import type { Job, JobRequest } from '../../lib/job.js'
import type { JobQueue } from '../../platform/jobs/job-queue.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import { announce } from './job-transaction.js'
import * as statements from './sql.js'

/** A job that a call has started, or one that runs already for the same key. */
export interface Started {
  readonly job: Job
  readonly isJoined: boolean
}

/** Starts jobs, at most one for each key of a principal. */
export class JobStarter {
  readonly #database: Database
  readonly #queue: JobQueue

  constructor(deps: { readonly database: Database; readonly queue: JobQueue }) {
    this.#database = deps.database
    this.#queue = deps.queue
  }

  /**
   * Starts the job or joins the one with the same key.
   *
   * @throws AppError `conflict` when the key was used with other arguments
   */
  async start(request: JobRequest, caller: Caller): Promise<Started> {
    const { signal } = caller
    await this.#queue.ready(signal)
    const jobId = newId('job')
    try {
      const insert = (tx: Transaction) => this.#insertOrFind(tx, jobId, request, caller)
      const started = await this.#database.transaction(insert, { signal })
      if (!started.isJoined) this.#queue.poke()
      return started
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'outcome_unknown') throw error
      // Its row is the proof that it was started.
      const job = await this.#database.maybeOne(statements.findJob(jobId, caller.principal))
      if (!job) throw error
      return { job, isJoined: false }
    }
  }

  /**
   * The job that this call with its key would join; null without one.
   *
   * @throws AppError `conflict` when the key was used with other arguments
   */
  async find(request: JobRequest, caller: Caller): Promise<Job | null> {
    const { idempotencyKey } = request
    if (idempotencyKey === null) return null
    const find = statements.jobOfKey(caller.principal, idempotencyKey)
    const found = await this.#database.maybeOne(find)
    return found && joinable(found, request)
  }

  async #insertOrFind(
    tx: Transaction,
    jobId: string,
    request: JobRequest,
    caller: Caller,
  ): Promise<Started> {
    const digest = digestOf(request)
    for (;;) {
      const job = await tx.maybeOne(statements.insertJob(jobId, request, digest, caller))
      if (job) {
        await announce(this.#queue, tx, job)
        return { job, isJoined: false }
      }
      const { principal } = caller
      const found = await tx.maybeOne(statements.lockJobOfKey(principal, request.idempotencyKey))
      if (!found) continue
      const existing = joinable(found, request)
      if (existing) return { job: existing, isJoined: true }
      await tx.run(statements.releaseKey(found.job_id))
    }
  }
}

/** The job that used the key, if the same call joins it. */
function joinable(found: statements.KeyedJob, request: JobRequest): Job | null {
  const { arguments_sha256, ...job } = found
  if (job.tool !== request.tool || !digestOf(request).equals(arguments_sha256)) throw keyConflict()
  // What came to nothing may be tried again by the same call, as with every other tool.
  return job.state === 'failed' || job.state === 'cancelled' ? null : job
}

const digestOf = (request: JobRequest): Buffer =>
  createHash('sha256').update(canonicalJson(request.arguments)).digest()

const keyConflict = (): AppError =>
  new AppError('conflict', 'This idempotency_key was used before with other arguments.', {
    hint: 'Use a new key for a new call; the same key only for the same call.',
  })
