type Tell = (done: number, total: number, message: string) => void

/** Told no more often, in milliseconds. */
const EVERY_MS = 200

/** One figure from 0 to 1 that only rises, over phases of known weight, with an estimate of the end. */
export class Progress {
  readonly #tell: Tell
  readonly #startedAt = performance.now()
  #told = 0
  #toldAt = Number.NEGATIVE_INFINITY
  #from = 0
  #share = 0
  #what = ''

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** Begins a phase that reaches from what was reached up to `to`. */
  phase(what: string, to: number): void {
    this.#from += this.#share
    this.#share = to - this.#from
    this.#what = what
    this.#say(this.#from, true)
  }

  /** How much of the phase is done, from 0 to 1. */
  at(share: number): void {
    this.#say(this.#from + this.#share * Math.min(Math.max(share, 0), 1), false)
  }

  #say(done: number, isNew: boolean): void {
    const now = performance.now()
    if (done < this.#told || (!isNew && now - this.#toldAt < EVERY_MS)) return
    this.#told = done
    this.#toldAt = now
    this.#tell(Math.round(done * 1_000) / 1_000, 1, `${this.#what}${this.#rest(now)}`)
  }

  /** A guess from too little would only jump about. */
  #rest(now: number): string {
    if (this.#told < 0.05) return ''
    const seconds = (((now - this.#startedAt) / this.#told) * (1 - this.#told)) / 1_000
    return `, about ${Math.ceil(seconds)} s left`
  }
}
