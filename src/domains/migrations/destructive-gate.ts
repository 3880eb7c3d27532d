import { AppError } from '../../errors.js'
import type { Clock } from '../../lib/clock.js'
import { marketState, nextSessionTime } from '../../lib/market-clock.js'
import { instantText } from '../../lib/utc-text.js'
import type { Policy } from '../../policy.js'

/** What the gate decides from. */
export interface GateDeps {
  readonly policy: Policy['migrations']
  readonly clock: Clock
}

/** Decides whether the schema may be changed now in a way that loses data or makes others wait. */
export class DestructiveGate {
  readonly #deps: GateDeps

  constructor(deps: GateDeps) {
    this.#deps = deps
  }

  /**
   * Lets it pass, or says why not.
   *
   * @throws AppError `permission_denied` by the policy `migrations.destructive`
   */
  check(): void {
    if (this.#deps.policy.destructive === 'refuse') throw refused('', 'Ask who runs the server')
    this.checkLocks()
  }

  /** The same for what loses nothing in the end, but locks as much on the way. */
  checkLocks(): void {
    const closes = this.#openUntil()
    if (this.#deps.policy.destructive !== 'refuse_when_open' || closes === null) return
    throw refused(` while the market is open, until ${closes}`, `Try again after ${closes}`)
  }

  /** What the market is doing, for who has to decide. */
  get market(): string {
    const closes = this.#openUntil()
    if (closes !== null) return `The market is open until ${closes}.`
    const opens = nextSessionTime(this.#now(), (session) => session.opens)
    return `The market is closed and opens at ${instantText(opens)}.`
  }

  /** When the regular session that is on ends, or null when there is none. */
  #openUntil(): string | null {
    const now = this.#now()
    if (marketState(now) !== 'regular') return null
    return instantText(nextSessionTime(now, (session) => session.closes))
  }

  #now(): number {
    return this.#deps.clock.now().getTime()
  }
}

const refused = (when: string, next: string): AppError =>
  new AppError(
    'permission_denied',
    `The policy refuses rollbacks and migrations that lose data or make others wait${when}.`,
    { hint: `${next}; the policy is migrations.destructive in CATALYST_POLICY_FILE.` },
  )
