import type { Report } from './report.js'

const CHECK_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** Having run this long, a service that dies again is a new incident and not the same one. */
const STABLE_MS = 60_000

/** A service that is brought back when it dies. */
export interface Supervised {
  readonly name: string
  isAlive(): boolean
  /** Brings it back, or finds that another server did. */
  restore(abort: AbortSignal): Promise<void>
}

/**
 * Looks twice a second whether a service still runs and brings it back at once. When it keeps
 * dying, or cannot be brought back, the pauses double up to half a minute. The child may be another
 * process's, so its end is seen by asking for its pid and not by an exit event.
 */
export class Supervisor {
  readonly #service: Supervised
  readonly #report: Report
  readonly #abort = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #checking: Promise<void> = Promise.resolve()
  #failures = 0
  #restoredAt = 0

  constructor(service: Supervised, report: Report) {
    this.#service = service
    this.#report = report
    this.#schedule(CHECK_MS)
  }

  /** Ends the watching and waits for a restart under way, unless that is only waiting itself. */
  async stop(): Promise<void> {
    this.#abort.abort()
    clearTimeout(this.#timer)
    await this.#checking
  }

  /** The timer does not keep the process alive: a server with nothing left to do may end. */
  #schedule(afterMs: number): void {
    if (this.#abort.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#checking = this.#check()
    }, afterMs).unref()
  }

  async #check(): Promise<void> {
    if (this.#service.isAlive()) return this.#schedule(CHECK_MS)
    if (Date.now() - this.#restoredAt > STABLE_MS && this.#restoredAt > 0) this.#failures = 0
    await this.#restore()
    this.#schedule(this.#failures > 1 ? pauseAfter(this.#failures) : CHECK_MS)
  }

  async #restore(): Promise<void> {
    const { name } = this.#service
    this.#failures++
    this.#report('warn', `Embedded ${name} has died: starting it again`, {
      attempt: this.#failures,
    })
    const begun = performance.now()
    try {
      await this.#service.restore(this.#abort.signal)
      this.#restoredAt = Date.now()
      const duration_ms = Math.round(performance.now() - begun)
      this.#report('info', `Embedded ${name} is back`, { duration_ms })
    } catch (error) {
      if (this.#abort.signal.aborted) return
      this.#report('error', `Embedded ${name} could not be started again`, {
        error,
        next_attempt_ms: pauseAfter(this.#failures),
      })
    }
  }
}

const pauseAfter = (failures: number): number =>
  Math.min(LONGEST_PAUSE_MS, CHECK_MS * 2 ** (failures - 1))
