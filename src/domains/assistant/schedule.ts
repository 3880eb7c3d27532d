import type { PublishedEvent } from '../../events.js'
import type { Clock } from '../../lib/clock.js'
import type { Policy } from '../../policy.js'

/** Why a round begins by itself. Every server comes to the same key, and of one key only one round is begun. */
interface Due {
  readonly key: string
}

const MINUTE_MS = 60_000
/** After trouble at most one round begins in so long. */
const CALM_MS = 10 * MINUTE_MS
const LONGEST_REST_MS = 30_000

/** Events that tell of trouble which a round may end. */
const TROUBLE: Readonly<Record<string, (data: PublishedEvent['data']) => boolean>> = {
  'db.error': () => true,
  'db.performance.degraded': ({ state }) => state !== 'off',
  'cache.memory.high': ({ state }) => state !== 'off',
  'backup.failed': () => true,
  'replication.lag': ({ state }) => state !== 'off',
}

/** When rounds begin by themselves: in fixed steps of time, and a while after trouble was told. */
export class Schedule {
  readonly #policy: Policy['assistant']
  readonly #clock: Clock
  #step: number
  #trouble: { readonly dueAt: number; readonly key: string } | null = null
  #calmUntil = 0

  constructor(policy: Policy['assistant'], clock: Clock) {
    this.#policy = policy
    this.#clock = clock
    // A server that starts waits for the next step: it may be one of many that start.
    this.#step = this.#stepAt(clock.now().getTime())
  }

  /** When the next round begins by itself, as far as that is known; null when none does. */
  get nextRun(): string | null {
    const every = this.#policy.every_minutes * MINUTE_MS
    if (every <= 0 || this.#policy.stop) return null
    return new Date((this.#stepAt(this.#clock.now().getTime()) + 1) * every).toISOString()
  }

  /** Takes note of trouble. */
  happened(events: readonly PublishedEvent[]): void {
    const { react_seconds } = this.#policy
    const first = events.find(({ type, data }) => TROUBLE[type]?.(data))
    if (!first || react_seconds <= 0 || this.#trouble) return
    const at = Date.parse(first.at)
    if (at < this.#calmUntil) return
    this.#calmUntil = at + CALM_MS
    const dueAt = Math.max(this.#clock.now().getTime(), at + react_seconds * 1_000)
    this.#trouble = { dueAt, key: `trouble-${Math.floor(at / CALM_MS)}` }
  }

  /** The round that is due now, once; null while none is. */
  take(): Due | null {
    if (this.#policy.stop) return null
    const now = this.#clock.now().getTime()
    const trouble = this.#trouble
    if (trouble && now >= trouble.dueAt) {
      this.#trouble = null
      return { key: trouble.key }
    }
    const step = this.#stepAt(now)
    if (step <= this.#step) return null
    this.#step = step
    return { key: `round-${step}-of-${this.#policy.every_minutes}` }
  }

  /** Milliseconds until something may be due. */
  get restMs(): number {
    const now = this.#clock.now().getTime()
    const every = this.#policy.every_minutes * MINUTE_MS
    const step = every > 0 ? (this.#stepAt(now) + 1) * every - now : LONGEST_REST_MS
    const trouble = this.#trouble ? this.#trouble.dueAt - now : LONGEST_REST_MS
    return Math.max(1, Math.min(step, trouble, LONGEST_REST_MS))
  }

  #stepAt(ms: number): number {
    const every = this.#policy.every_minutes * MINUTE_MS
    return every > 0 ? Math.floor(ms / every) : 0
  }
}
