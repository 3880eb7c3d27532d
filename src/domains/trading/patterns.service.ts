import type { Clock } from '../../lib/clock.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'
import type { SecurityService } from '../market/securities.service.js'

/** What patterns are made from. */
export interface PatternDeps {
  readonly database: Database
  readonly securities: SecurityService
  readonly clock: Clock
  readonly learning: Policy['learning']
}

/** Pattern detections, their outcomes, and how often they came true. */
export class PatternService {
  readonly #deps: PatternDeps

  constructor(deps: PatternDeps) {
    this.#deps = deps
    void this.#deps
  }
}
