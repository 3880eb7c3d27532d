/** Growing waits with jitter, so that many waiters do not come back at the same instant. */
export class Backoff {
  readonly #firstMs: number
  readonly #maxMs: number
  #nextMs: number

  constructor(options: { readonly firstMs: number; readonly maxMs: number }) {
    this.#firstMs = options.firstMs
    this.#maxMs = options.maxMs
    this.#nextMs = options.firstMs
  }

  /** The next wait, in milliseconds: between half and all of the current step, which then doubles. */
  next(): number {
    const wait = this.#nextMs * (0.5 + Math.random() / 2)
    this.#nextMs = Math.min(this.#nextMs * 2, this.#maxMs)
    return wait
  }

  /** Starts over after a success. */
  reset(): void {
    this.#nextMs = this.#firstMs
  }
}
