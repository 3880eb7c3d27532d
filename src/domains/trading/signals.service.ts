import type { Clock } from '../../lib/clock.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Policy } from '../../policy.js'
import type { SecurityService } from '../market/securities.service.js'

/** What signals are made from. */
export interface SignalDeps {
  readonly database: Database
  readonly securities: SecurityService
  readonly clock: Clock
  readonly risk: Policy['risk']
}

/** Signals, checked against the limits of risk, and what becomes of them. */
export class SignalService {
  readonly #deps: SignalDeps

  constructor(deps: SignalDeps) {
    this.#deps = deps
    void this.#deps
  }
}
