import { randomUUID } from 'node:crypto'
import type { AppError } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import type { JobProgress } from '../../lib/job.js'
import { EVERYTHING } from '../../lib/scope.js'
import type { ClaimedJob, LeaseHolder } from './sql.js'

/** Why a run is to stop: its owner said so, the server ends, or the lease can no longer be trusted. */
export type StopKind = 'cancelled' | 'server_stops' | 'lease_lost'

/** Where the progress of a run goes. */
export interface ProgressSink {
  /** To whoever waits in this process, at once. */
  tell(run: JobRun, progress: JobProgress): void
  /** To the row, for everybody else; never rejects. */
  store(run: JobRun, progress: JobProgress): Promise<void>
}

/** Progress is written at most this often; the newest wins. */
const STORE_EVERY_MS = 1_000

/** One attempt at a job in this process, from taking it over to writing down what it came to. */
export class JobRun {
  readonly job: ClaimedJob
  readonly holder: LeaseHolder
  /** Finds the run's lines in the log. */
  readonly reference = randomUUID()
  readonly #abort = new AbortController()
  readonly #sink: ProgressSink
  #stopKind: StopKind | null = null
  #progress: JobProgress | null = null
  #stored: JobProgress | null = null
  #timer: NodeJS.Timeout | null = null
  #isOver = false

  constructor(job: ClaimedJob, serverId: string, sink: ProgressSink) {
    this.job = job
    this.holder = { jobId: job.job_id, attempt: job.attempt, serverId }
    this.#sink = sink
  }

  /** Why the run was stopped, if it was. */
  get stopKind(): StopKind | null {
    return this.#stopKind
  }

  /** How far the tool last said it was. */
  get progress(): JobProgress | null {
    return this.#progress
  }

  /** What the tool gets in the place of the caller, who may be long gone. */
  get caller(): Caller {
    const { principal, owner, confirmed_plan } = this.job
    return {
      principal,
      owner: owner ?? principal,
      // It was asked for within its caller's scope.
      scope: EVERYTHING,
      requestId: this.reference,
      signal: this.#abort.signal,
      record: null,
      confirmedPlan: confirmed_plan,
      progress: (done, total, message) => this.#progressed({ done, total, message }),
    }
  }

  /** Asks the tool to stop; only the first reason counts. */
  stop(kind: StopKind, reason: AppError): void {
    this.#stopKind ??= kind
    this.#abort.abort(reason)
  }

  /** What the tool may still say is of no interest. */
  over(): void {
    this.#isOver = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  #progressed(progress: JobProgress): void {
    if (this.#isOver) return
    this.#progress = progress
    this.#sink.tell(this, progress)
    if (!this.#timer) this.#store(progress)
  }

  #store(progress: JobProgress): void {
    this.#stored = progress
    void this.#sink.store(this, progress)
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (this.#progress && this.#progress !== this.#stored) this.#store(this.#progress)
    }, STORE_EVERY_MS).unref()
  }
}
