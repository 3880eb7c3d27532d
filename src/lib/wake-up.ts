/** Lets a loop rest until it is called or a while has passed; a call while it works is not lost. */
export class WakeUp {
  #isCalled = false
  #wake: () => void = () => {}

  /** Ends the rest, or makes the next one end at once. */
  call(): void {
    this.#isCalled = true
    this.#wake()
  }

  /** What was called for until now is about to be done. */
  answer(): void {
    this.#isCalled = false
  }

  /** Resolves at the next call that was not answered yet, after `ms` at the latest. */
  rest(ms: number): Promise<void> {
    if (this.#isCalled) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
