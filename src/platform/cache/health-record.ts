import type { Clock } from '../../lib/clock.js'
import { instantText } from '../../lib/utc-text.js'
import type { CacheHealth, CacheState } from './cache-store.js'

type Known = Omit<CacheHealth, 'breaker'>

/** The latest known health; `since` moves only when the state does, not with each new reason. */
export class HealthRecord {
  readonly #clock: Clock
  readonly #told: (state: CacheState, reason: string | null) => void
  #current: Known

  /** `told` hears of every state that is noted, again and again while it lasts. */
  constructor(clock: Clock, told: (state: CacheState, reason: string | null) => void) {
    this.#clock = clock
    this.#told = told
    this.#current = { state: 'connecting', since: instantText(clock.now()), reason: null }
  }

  get current(): Known {
    return this.#current
  }

  set(state: CacheState, reason: string | null): void {
    const since =
      state === this.#current.state ? this.#current.since : instantText(this.#clock.now())
    this.#current = { state, since, reason }
    this.#told(state, reason)
  }
}
