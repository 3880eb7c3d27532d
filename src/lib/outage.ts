/** Where an outage is told. */
export interface Warnings {
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

type Level = keyof Warnings
type Facts = Readonly<Record<string, unknown>>

/** What hears how the attempts at something end. */
export interface Attempts {
  /** It failed, and will be tried again; true when the fault is of a system that others work with as well. */
  failed(error: unknown, facts?: Facts): boolean
  /** It works. */
  over(): void
}

/** Between two lines that something still does not work. */
const EVERY_MS = 5 * 60 * 1_000

/** Tells of something that fails again and again: once when it begins, now and then, and once at its end. */
export class Outage implements Attempts {
  readonly #log: Warnings
  readonly #what: string
  #since: Date | null = null
  #told: { readonly at: number; readonly level: Level } = { at: 0, level: 'warn' }
  #attempts = 0

  /** `what` is a subject, such as "the audit". */
  constructor(log: Warnings, what: string) {
    this.#log = log
    this.#what = what
  }

  /** Told at once as well when it is worse than what was told. */
  failed(error: unknown, facts: Facts = {}, level: Level = 'warn'): false {
    this.#attempts++
    const now = Date.now()
    const isWorse = level === 'error' && this.#told.level !== level
    if (this.#since && now - this.#told.at < EVERY_MS && !isWorse) return false
    const lasting = this.#since ? { since: this.#since, attempts: this.#attempts } : {}
    const verb = this.#since ? 'is still interrupted' : 'is interrupted, trying again'
    this.#log[level]({ err: error, ...facts, ...lasting }, `${this.#what} ${verb}`)
    this.#since ??= new Date(now)
    this.#told = { at: now, level }
    return false
  }

  over(): void {
    if (!this.#since) return
    const lasted = { since: this.#since, attempts: this.#attempts }
    this.#log.warn(lasted, `${this.#what} works again`)
    this.#since = null
    this.#attempts = 0
    this.#told = { at: 0, level: 'warn' }
  }
}
