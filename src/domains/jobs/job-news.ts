import type { JobProgress } from '../../lib/job.js'

interface Watcher {
  readonly progressed: (progress: JobProgress) => void
  wake(): void
}

/** Somebody who waits for a job to be another one. */
export interface Watch {
  /** Resolves when something has changed since the last time, when `signal` is aborted, or in time. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>
  stop(): void
}

/** Brings what happens to jobs to those who wait for them in this process. */
export class JobNews {
  readonly #watchers = new Map<string, Set<Watcher>>()

  /** Watches one job; what happens before anybody waits is remembered. */
  watch(jobId: string, progressed: (progress: JobProgress) => void): Watch {
    let hasChanged = false
    let resolve = (): void => {}
    const watcher: Watcher = {
      progressed,
      wake: () => {
        hasChanged = true
        resolve()
      },
    }
    const watchers = this.#watchers.get(jobId) ?? new Set()
    this.#watchers.set(jobId, watchers.add(watcher))
    return {
      next: async (timeoutMs, signal) => {
        if (!hasChanged && !signal.aborted) {
          await new Promise<void>((done) => {
            resolve = done
            const timer = setTimeout(done, timeoutMs)
            const stop = (): void => {
              clearTimeout(timer)
              signal.removeEventListener('abort', stop)
              done()
            }
            resolve = stop
            signal.addEventListener('abort', stop)
          })
        }
        hasChanged = false
      },
      stop: () => {
        watchers.delete(watcher)
        if (watchers.size === 0) this.#watchers.delete(jobId)
      },
    }
  }

  /** A run in this process says how far it is. */
  progressed(jobId: string, progress: JobProgress): void {
    for (const watcher of this.#watchers.get(jobId) ?? []) watcher.progressed(progress)
  }

  /** The job's row is another one now. */
  changed(jobId: string): void {
    for (const watcher of this.#watchers.get(jobId) ?? []) watcher.wake()
  }

  /** Wakes everybody, to see that the server is closing. */
  wakeAll(): void {
    for (const jobId of this.#watchers.keys()) this.changed(jobId)
  }
}
