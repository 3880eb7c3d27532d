import { AppError } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import { isFinal, type Job, type JobProgress } from '../../lib/job.js'
import type { JobNews } from './job-news.js'

interface WaitingDeps {
  readonly news: JobNews
  readonly read: (jobId: string, principal: string) => Promise<Job>
}

/** Hints and events say when to look; this is for those that were lost. */
const LOOK_AGAIN_MS = 1_000

/** Lets callers wait for jobs: as long as they may, want to, and the server stays. */
export class Waiting {
  readonly #deps: WaitingDeps
  #isOver = false

  constructor(deps: WaitingDeps) {
    this.#deps = deps
  }

  /**
   * Answers the job once it has ended or `waitMs` have passed, and forwards its progress meanwhile.
   *
   * @throws AppError `cancelled` when the caller has gone: the job goes on
   */
  async wait(started: Job, caller: Caller, waitMs: number): Promise<Job> {
    const { job_id } = started
    const deadline = performance.now() + waitMs
    const forward = forwarder(caller)
    const watch = this.#deps.news.watch(job_id, forward)
    let job = started
    try {
      for (;;) {
        job = await this.#look(job, caller.principal)
        if (job.progress) forward(job.progress)
        const left = deadline - performance.now()
        if (isFinal(job) || left <= 0 || this.#isOver) return job
        await watch.next(Math.min(left, LOOK_AGAIN_MS), caller.signal)
        if (caller.signal.aborted) throw stoppedWaiting(job_id)
      }
    } finally {
      watch.stop()
    }
  }

  /** Lets everybody go, with what is known by now. */
  end(): void {
    this.#isOver = true
    this.#deps.news.wakeAll()
  }

  /** A job does not end because the database cannot be asked about it for a moment. */
  async #look(job: Job, principal: string): Promise<Job> {
    try {
      return await this.#deps.read(job.job_id, principal)
    } catch (error) {
      if (error instanceof AppError && error.retryable) return job
      throw error
    }
  }
}

/** Progress comes directly and from the row, and starts over when the job does; clients want it to grow. */
function forwarder(caller: Caller): (progress: JobProgress) => void {
  let furthest = Number.NEGATIVE_INFINITY
  return ({ done, total, message }) => {
    if (done <= furthest) return
    furthest = done
    caller.progress(done, total, message)
  }
}

const stoppedWaiting = (jobId: string): AppError =>
  new AppError('cancelled', `Only the waiting has ended; the job ${jobId} goes on.`, {
    hint: `See how it goes with get_job; stop it with cancel_job. Its id is ${jobId}.`,
    retryable: false,
  })
