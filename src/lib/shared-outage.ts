import { type Attempts, Outage, type Warnings } from './outage.js'

interface SharedOutageDeps {
  readonly log: Warnings
  /** The subject of its lines, such as "the database". */
  readonly name: string
  readonly judge: (failure: unknown) => Judgement
}

/** What a failure is. */
interface Judgement {
  /** As it is told. */
  readonly error: unknown
  /** It is the system's, not only of the part that met it. */
  readonly isShared: boolean
  readonly level: keyof Warnings
}

/** Who has not tried lately may still meet a connection that was lost back then. */
const QUIET_MS = 3_000

/**
 * The outage of a system that many parts of this server work with, told once for all of them: it is
 * over when everything that failed works again, and nothing has failed since for a while.
 */
export class SharedOutage {
  readonly #deps: SharedOutageDeps
  readonly #outage: Outage
  readonly #failing = new Set<Attempts>()
  #failedAt = 0

  constructor(deps: SharedOutageDeps) {
    this.#deps = deps
    this.#outage = new Outage(deps.log, deps.name)
  }

  /** For one part of the server, to be told every time; what fails by itself it tells by itself. */
  of(part: string): Attempts {
    const own = new Outage(this.#deps.log, part)
    const attempts: Attempts = {
      failed: (failure, facts) => {
        const { error, isShared, level } = this.#deps.judge(failure)
        if (!isShared) {
          this.#failing.delete(attempts)
          return own.failed(error, facts, level)
        }
        this.#failing.add(attempts)
        this.#failedAt = Date.now()
        this.#outage.failed(error, { part, ...facts }, level)
        return true
      },
      over: () => {
        own.over()
        this.#failing.delete(attempts)
        const isQuiet = Date.now() - this.#failedAt >= QUIET_MS
        if (this.#failing.size === 0 && isQuiet) this.#outage.over()
      },
    }
    return attempts
  }
}
