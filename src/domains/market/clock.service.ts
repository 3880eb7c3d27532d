import type { Clock } from '../../lib/clock.js'

/** What the hours are made from. */
export interface ClockDeps {
  readonly clock: Clock
}

/** The hours of the market. */
export class ClockService {
  readonly #deps: ClockDeps

  constructor(deps: ClockDeps) {
    this.#deps = deps
    void this.#deps
  }
}
