import type { Clock } from '../../lib/clock.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'
import type { SecurityService } from '../market/securities.service.js'

/** What positions are made from. */
export interface TradeDeps {
  readonly database: Database
  readonly securities: SecurityService
  readonly clock: Clock
  readonly learning: Policy['learning']
}

/** Fills as facts, and the positions that they add up to. */
export class TradeService {
  readonly #deps: TradeDeps

  constructor(deps: TradeDeps) {
    this.#deps = deps
    void this.#deps
  }
}
