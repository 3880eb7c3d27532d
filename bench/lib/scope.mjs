/** What was started and must be stopped again, last first, whatever happened between. */
export class Scope {
  #stops = []

  /** Remembers how to stop something; answers it. */
  keep(thing, stop) {
    this.#stops.push(stop)
    return thing
  }

  /** Stops everything that is kept. */
  async close() {
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) await stop()
  }
}
