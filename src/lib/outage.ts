/** Where an outage is told. */
export interface Warnings {
  warn(facts: object, message: string): void
}

/** Between two lines that something still does not work. */
const EVERY_MS = 5 * 60 * 1_000

/** Tells of something that fails again and again: once when it begins, now and then, and once at its end. */
export class Outage {
  readonly #log: Warnings
  readonly #what: string
  #since: Date | null = null
  #toldAt = 0
  #attempts = 0

  /** `what` is a subject, such as "the audit". */
  constructor(log: Warnings, what: string) {
    this.#log = log
    this.#what = what
  }

  /** Since when it does not work; null while it does. */
  get since(): Date | null {
    return this.#since
  }

  /** It failed, and will be tried again. */
  failed(error: unknown, facts: Readonly<Record<string, unknown>> = {}): void {
    this.#attempts++
    const now = Date.now()
    if (this.#since && now - this.#toldAt < EVERY_MS) return
    const lasting = this.#since ? { since: this.#since, attempts: this.#attempts } : {}
    const verb = this.#since ? 'is still interrupted' : 'is interrupted, trying again'
    this.#log.warn({ err: error, ...facts, ...lasting }, `${this.#what} ${verb}`)
    this.#since ??= new Date(now)
    this.#toldAt = now
  }

  /** It works. */
  over(): void {
    if (!this.#since) return
    const lasted = { since: this.#since, attempts: this.#attempts }
    this.#log.warn(lasted, `${this.#what} works again`)
    this.#since = null
    this.#attempts = 0
  }
}
