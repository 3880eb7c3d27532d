import { createHash } from 'node:crypto'
import { AppError } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import { canonicalJson } from '../../lib/canonical-json.js'
import { newId } from '../../lib/ids.js'
import type { Job, JobRequest } from '../../lib/job.js'
import type { Database } from '../../platform/postgres/database.js'
import {
  claimForJob,
  jobOfKey,
  type KeyedEffect,
  passOn,
} from '../../platform/postgres/exactly-once.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import { report } from './job-transaction.js'
import * as statements from './sql.js'

/** A job that a call has started, or one that runs already for the same key. */
export interface Started {
  readonly job: Job
  readonly isJoined: boolean
}

/** Starts jobs, at most one for each key of a principal. */
export class JobStarter {
  readonly #database: Database

  constructor(deps: { readonly database: Database }) {
    this.#database = deps.database
  }

  /**
   * Starts the job or joins the one with the same key.
   *
   * @throws AppError `conflict` when the key was used with other arguments
   */
  async start(request: JobRequest, caller: Caller): Promise<Started> {
    const { signal } = caller
    const jobId = newId('job')
    try {
      const insert = (tx: Transaction) => this.#insertOrFind(tx, jobId, request, caller)
      return await this.#database.transaction(insert, { signal })
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
    const effect = effectOf(request, caller)
    const jobId = await jobOfKey(this.#database, effect, idempotencyKey)
    if (jobId === null) return null
    const found = await this.#database.maybeOne(statements.findJob(jobId, caller.principal))
    return found && joinable(found)
  }

  async #insertOrFind(
    tx: Transaction,
    jobId: string,
    request: JobRequest,
    caller: Caller,
  ): Promise<Started> {
    const { idempotencyKey: key } = request
    const effect = effectOf(request, caller)
    while (key !== null) {
      const holder = await claimForJob(tx, effect, key, jobId)
      if (holder === jobId) break
      const found = await tx.maybeOne(statements.findJob(holder, caller.principal))
      const existing = found && joinable(found)
      if (existing) return { job: existing, isJoined: true }
      // Somebody else may be trying again at the same time: then that job is looked at.
      if (await passOn(tx, effect, key, { from: holder, to: jobId })) break
    }
    const job = await tx.one(statements.insertJob(jobId, request, digestOf(request), caller))
    await report(tx, job)
    return { job, isJoined: false }
  }
}

/** What came to nothing may be tried again by the same call, as with every other tool. */
const joinable = (found: Job): Job | null =>
  found.state === 'failed' || found.state === 'cancelled' ? null : found

const effectOf = (request: JobRequest, { principal }: Caller): KeyedEffect => ({
  principal,
  tool: request.tool,
  arguments: request.arguments,
  idempotencyKey: request.idempotencyKey,
})

const digestOf = (request: JobRequest): Buffer =>
  createHash('sha256').update(canonicalJson(request.arguments)).digest()
