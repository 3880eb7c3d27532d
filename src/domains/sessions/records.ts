import type { AppError } from '../../errors.js'
import type { EventFacts } from '../../events.js'
import type { Log } from '../../platform/log.js'
import type { Database } from '../../platform/postgres/database.js'
import type { DbSession } from './db-session.js'
import * as errors from './errors.js'
import * as statements from './sql.js'

interface RecordDeps {
  readonly database: Database
  readonly serverId: string
  readonly log: Log
  /** Called after a commit that left events in the outbox; it outdates nothing. */
  readonly committed: (touched: undefined) => void
}

/** What is remembered of sessions beyond the process that holds them. */
export class SessionRecords {
  readonly #deps: RecordDeps
  /** What to tell the owner of an ended session until the database remembers it. */
  readonly #ended = new Map<string, { readonly owner: string; readonly reason: AppError }>()

  constructor(deps: RecordDeps) {
    this.#deps = deps
  }

  /** Notes a new session, and forgets those nobody will ask about any more. */
  async begin({ options }: DbSession): Promise<void> {
    const { database, serverId } = this.#deps
    await database.transaction(async (tx) => {
      await tx.run(statements.insertSession(options.id, options.owner, serverId))
      await tx.run(statements.forgetSessions())
    })
  }

  /** Holds what to tell the owner from this moment on. */
  ending({ options }: DbSession, reason: AppError): void {
    this.#ended.set(options.id, { owner: options.owner, reason })
  }

  /** Notes how a session ended. */
  async end({ options }: DbSession, endedAs: statements.Ending): Promise<void> {
    try {
      await this.#deps.database.run(statements.endSession(options.id, endedAs))
      this.#ended.delete(options.id)
    } catch (error) {
      this.#deps.log.warn(
        { err: error, session_id: options.id },
        'the end of a session could not be noted',
      )
    }
  }

  /** What became of a session that this server does not hold. */
  async explain(id: string, owner: string): Promise<AppError> {
    const ended = this.#ended.get(id)
    if (ended?.owner === owner) return ended.reason
    const record = await this.#deps.database.maybeOne(statements.findSession(id))
    if (record?.owner !== owner) return errors.unknownSession()
    if (record.ended_as === null) return errors.heldElsewhere()
    if (record.ended_as === 'expired') return errors.expired()
    return record.ended_as === 'lost' ? errors.lost() : errors.hasEnded()
  }

  /** Publishes what happened to a session; an event that cannot be written is logged. */
  async report<T extends 'db.session.expired' | 'db.error'>(
    type: T,
    data: EventFacts<T>,
  ): Promise<void> {
    try {
      await this.#deps.database.transaction((tx) => tx.emit(type, data))
      this.#deps.committed(undefined)
    } catch (error) {
      this.#deps.log.warn({ err: error, type }, 'an event could not be written')
    }
  }
}
