/** What is to be ended, the last that began first. */
export class Ending {
  readonly #ends: (() => unknown)[] = []
  #over: Promise<void> | null = null

  /** Adds what began just now. */
  add(end: () => unknown): void {
    this.#ends.push(end)
  }

  /**
   * Ends everything, once. What fails to end keeps nothing else from ending.
   *
   * @throws the first failure, after the last end
   */
  run(): Promise<void> {
    this.#over ??= this.#run()
    return this.#over
  }

  async #run(): Promise<void> {
    const failures: unknown[] = []
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) {
      try {
        await end()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
