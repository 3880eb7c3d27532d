import type { Clock } from '../../lib/clock.js'
import type { DbSession } from './db-session.js'

/** Which of its two limits a session passed. */
export type LimitKind = 'idle' | 'absolute'

/** Watches the age of sessions: how long unused, and how long at all. */
export class Limits {
  readonly #idleMs: number
  readonly #maxMs: number
  readonly #clock: Clock
  readonly #expire: (session: DbSession, kind: LimitKind) => Promise<void>
  readonly #timers = new Map<DbSession, NodeJS.Timeout>()

  constructor(
    settings: { readonly idleMs: number; readonly maxMs: number; readonly clock: Clock },
    expire: (session: DbSession, kind: LimitKind) => Promise<void>,
  ) {
    this.#idleMs = settings.idleMs
    this.#maxMs = settings.maxMs
    this.#clock = settings.clock
    this.#expire = expire
  }

  /** When the session ends if nobody uses it. */
  expiresAt(session: DbSession): Date {
    const idle = session.lastUsedAt.getTime() + this.#idleMs
    return new Date(Math.min(idle, this.#absoluteEnd(session)))
  }

  /** Ends the session at its limit. */
  watch(session: DbSession): void {
    const wait = Math.max(this.expiresAt(session).getTime() - this.#clock.now().getTime(), 0)
    this.#timers.set(session, setTimeout(() => this.#check(session), wait + 1).unref())
  }

  /** Stops watching. */
  forget(session: DbSession): void {
    clearTimeout(this.#timers.get(session))
    this.#timers.delete(session)
  }

  /**
   * The limit that a session has passed, if any; a running call is not idle. Asked at each use as
   * well: the timers of a machine that slept are late.
   */
  passed(session: DbSession): LimitKind | null {
    const now = this.#clock.now().getTime()
    if (now >= this.#absoluteEnd(session)) return 'absolute'
    return !session.isBusy && now >= this.expiresAt(session).getTime() ? 'idle' : null
  }

  /** A use since the timer was set moves the idle limit. */
  #check(session: DbSession): void {
    const limit = this.passed(session)
    if (limit !== null) return void this.#expire(session, limit)
    if (session.isBusy) session.lastUsedAt = this.#clock.now()
    this.watch(session)
  }

  #absoluteEnd(session: DbSession): number {
    return session.options.startedAt.getTime() + this.#maxMs
  }
}
