import { setTimeout as delay } from 'node:timers/promises'
import type { AppError } from '../../errors.js'
import type { EventFacts } from '../../events.js'
import { Backoff } from '../../lib/backoff.js'
import type { Attempts } from '../../lib/outage.js'
import type { SharedOutage } from '../../lib/shared-outage.js'
import type { Database } from '../../platform/postgres/database.js'
import type { DbSession } from './db-session.js'
import * as errors from './errors.js'
import * as statements from './sql.js'

interface RecordDeps {
  readonly database: Database
  readonly serverId: string
  readonly outage: SharedOutage
}

/** What became of a session, to be told to whoever listens. */
export type SessionNews = {
  readonly [T in 'db.session.expired' | 'db.error']: {
    readonly type: T
    readonly data: EventFacts<T>
  }
}['db.session.expired' | 'db.error']

/** What is told of sessions that ended in a way that nobody meant. */
export const LOSSES = {
  lost: {
    code: 'session_lost',
    message: 'A session lost its connection; what it had not committed was rolled back.',
  },
  unknown: {
    code: 'outcome_unknown',
    message: 'Whether the last commit of a session was kept is unknown: its answer was lost.',
  },
} as const

/** What is remembered of sessions beyond the process that holds them. */
export class SessionRecords {
  readonly #deps: RecordDeps
  readonly #outage: Attempts
  readonly #stopped = new AbortController()
  /** What to tell the owner of an ended session until the database remembers it. */
  readonly #ended = new Map<
    string,
    { readonly owner: string; readonly reason: Promise<AppError> }
  >()

  constructor(deps: RecordDeps) {
    this.#deps = deps
    this.#outage = deps.outage.of('noting how sessions ended')
  }

  /** Notes a new session, and forgets those nobody will ask about any more. */
  async begin({ options }: DbSession, signal: AbortSignal): Promise<void> {
    const { database, serverId } = this.#deps
    await database.transaction(
      async (tx) => {
        await tx.run(statements.insertSession(options.id, options.owner, serverId))
        await tx.run(statements.forgetSessions())
      },
      { signal },
    )
  }

  /** Holds what to tell the owner from this moment on; who asks waits until it is known. */
  ending({ options }: DbSession, reason: Promise<AppError>): void {
    this.#ended.set(options.id, { owner: options.owner, reason })
  }

  /** Notes how a session ended, with its event; while the database is away it goes on trying. */
  async end(
    session: DbSession,
    endedAs: statements.Ending,
    news: SessionNews | null,
  ): Promise<void> {
    const note = () => this.#note(session, endedAs, news)
    try {
      await note()
    } catch (error) {
      this.#outage.failed(error)
      void this.#repeat(note)
    }
  }

  /** Tries no more. */
  stop(): void {
    this.#stopped.abort()
  }

  /** What became of a session that this server does not hold. */
  async explain(id: string, owner: string): Promise<AppError> {
    const ended = this.#ended.get(id)
    if (ended?.owner === owner) return ended.reason
    const record = await this.#deps.database.maybeOne(statements.findSession(id))
    if (record?.owner !== owner) return errors.unknownSession()
    return record.ended_as === null ? errors.heldElsewhere() : reasonOf(record.ended_as)
  }

  async #note({ options }: DbSession, endedAs: statements.Ending, news: SessionNews | null) {
    await this.#deps.database.transaction(async (tx) => {
      // Done already where the answer of the first attempt was lost.
      if ((await tx.run(statements.endSession(options.id, endedAs))) === 0) return
      if (news) await tx.emit(news.type, news.data)
    })
    this.#outage.over()
    this.#ended.delete(options.id)
  }

  async #repeat(note: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopped
    const backoff = new Backoff({ firstMs: 200, maxMs: 5_000 })
    for (;;) {
      try {
        await delay(backoff.next(), undefined, { signal, ref: false })
        return await note()
      } catch (error) {
        if (signal.aborted) return
        this.#outage.failed(error)
      }
    }
  }
}

/** What the owner of a session that ended so is told. */
export function reasonOf(ending: statements.Ending): AppError {
  switch (ending) {
    case 'expired':
      return errors.expired()
    case 'lost':
      return errors.lost()
    case 'unknown':
      return errors.unknown(false)
    default:
      return errors.hasEnded()
  }
}
