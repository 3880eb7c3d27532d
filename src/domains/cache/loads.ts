/** A load that is under way. */
interface Flight<T> {
  readonly began: number
  readonly result: Promise<T>
}

/**
 * One load per key at a time. Its result is for those who came before it began, and for others only
 * where they can tell that it is current; they join the next load otherwise.
 */
export class Loads<T> {
  readonly #flights = new Map<string, Flight<T>>()
  #moment = 0

  /** The moment of an arrival, to be taken before anything is looked at. */
  arrive(): number {
    return ++this.#moment
  }

  /** Takes or begins a load; a failure is for all who waited for that load, and for nobody else. */
  async join(
    key: string,
    arrived: number,
    { load, isCurrent }: { load(): Promise<T>; isCurrent(result: T): boolean },
  ): Promise<T> {
    for (;;) {
      const flight = this.#flights.get(key)
      if (!flight) return this.#begin(key, load)
      if (flight.began > arrived) return flight.result
      const result = await flight.result.catch(() => null)
      if (result !== null && isCurrent(result)) return result
    }
  }

  #begin(key: string, load: () => Promise<T>): Promise<T> {
    const result = load().finally(() => this.#flights.delete(key))
    this.#flights.set(key, { began: ++this.#moment, result })
    return result
  }
}
