import { AppError, abortError } from '../../errors.js'
import type { PublishedEvent } from '../../events.js'
import type { Database } from '../../platform/postgres/database.js'
import type { EventLog } from '../../platform/postgres/event-log.js'
import { eventBounds, eventsAfter, newestEvents } from '../../platform/postgres/event-log.sql.js'

/** What events are read from. */
export interface EventDeps {
  readonly database: Database
  readonly log: EventLog
}

/** Which events. Without `after`, the newest ones. */
export interface EventQuery {
  readonly types: readonly string[] | null
  readonly after: number | null
  readonly limit: number
}

/** Reads the replayable log, and waits for it to grow. */
export class EventService {
  readonly #deps: EventDeps
  readonly #stopping = new AbortController()

  constructor(deps: EventDeps) {
    this.#deps = deps
  }

  /**
   * Events in order. `next_cursor` is what to pass as `after` to go on; nothing is missed between.
   *
   * @throws AppError `precondition_failed` for a cursor that this log has never reached
   */
  async list(query: EventQuery) {
    const { database } = this.#deps
    // Read before the events: an event published between the two is then after the cursor, not lost.
    const bounds = await database.one(eventBounds())
    if (query.after !== null && query.after > bounds.given) throw beyond(query.after, bounds.newest)
    const events =
      query.after === null
        ? await database.many(newestEvents(query.types, query.limit))
        : await database.many(eventsAfter(query.after, query.types, query.limit))
    return {
      events,
      next_cursor: nextCursor(query, events, bounds.newest),
      oldest_seq: bounds.oldest,
    }
  }

  /** The same, but when there is nothing yet, waits up to `waitMs` for the first matching event. */
  async wait(query: EventQuery, waitMs: number, signal: AbortSignal) {
    const deadline = Date.now() + waitMs
    const arrivals = this.#watch(query.types)
    try {
      for (;;) {
        const answer = await this.list(query)
        const left = deadline - Date.now()
        if (query.after === null || answer.events.length > 0 || left <= 0) return answer
        if (this.#stopping.signal.aborted) return answer
        await arrivals.next(left, signal)
        if (signal.aborted) throw abortError(signal)
      }
    } finally {
      arrivals.stop()
    }
  }

  /** Lets everybody who waits go with what there is: the server ends. */
  stopWaiting(): void {
    this.#stopping.abort()
  }

  /** Remembers that something came even while nobody was waiting for it. */
  #watch(types: readonly string[] | null) {
    let hasCome = false
    let wake = (): void => {}
    const stop = this.#deps.log.subscribe((events) => {
      if (!events.some(({ type }) => types === null || types.includes(type))) return
      hasCome = true
      wake()
    })
    const stopping = this.#stopping.signal
    const next = (timeoutMs: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(done, timeoutMs)
        function done(): void {
          clearTimeout(timer)
          for (const end of [signal, stopping]) end.removeEventListener('abort', done)
          hasCome = false
          resolve()
        }
        wake = done
        for (const end of [signal, stopping]) end.addEventListener('abort', done)
        if (hasCome || signal.aborted || stopping.aborted) done()
      })
    return { next, stop }
  }
}

/** The cursor is of another log: the database was restored, reset, or failed over to an older state. */
const beyond = (after: number, newest: number): AppError =>
  new AppError(
    'precondition_failed',
    `after: ${after} is beyond the newest event of this log, which has seq ${newest}.`,
    {
      hint: `The database was restored or replaced since this cursor was given: what was read of it may not have happened here. Read your lists again, then go on with after=${newest}.`,
    },
  )

/**
 * A full page goes on after its last event. A page that was not full has seen everything up to the
 * newest seq of before it was read, also the types it did not ask for.
 */
function nextCursor(query: EventQuery, events: readonly PublishedEvent[], newest: number): number {
  const last = events.at(-1)?.seq ?? 0
  if (query.after !== null && events.length === query.limit) return last
  return Math.max(last, newest, query.after ?? 0)
}
