import type { Clock } from '../../lib/clock.js'
import type { Database } from '../../platform/postgres/database.js'
import type { SecurityService } from './securities.service.js'

/** What bars are made from. */
export interface BarDeps {
  readonly database: Database
  readonly securities: SecurityService
  readonly clock: Clock
}

/** Price bars, and the indicators computed from them. */
export class BarService {
  readonly #deps: BarDeps

  constructor(deps: BarDeps) {
    this.#deps = deps
    void this.#deps
  }
}
