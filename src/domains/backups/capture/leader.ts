import type { Endpoint } from '../../../platform/postgres/connection.js'
import { type OwnConnection, workerConnection } from '../../../platform/postgres/own-connection.js'
import { type Statement, sql } from '../../../platform/postgres/sql.js'

/** Advisory locks of backups: a class of ours, so that no other use of advisory locks meets them. */
const LOCK_CLASS = 1_127_429_204
export const LOCKS = { log: 1, backup: 2, beginning: 3 } as const

const tryLock = (lock: number) => sql<{ locked: boolean }>`
  select pg_try_advisory_lock(${LOCK_CLASS}::integer, ${lock}::integer) as locked`

const lock = (lock: number) => sql`
  select pg_advisory_lock(${LOCK_CLASS}::integer, ${lock}::integer)`

const unlock = (lock: number) => sql`
  select pg_advisory_unlock(${LOCK_CLASS}::integer, ${lock}::integer)`

/** Longer than the wait for a lock that a new slot may need. */
const TIMEOUT_MS = 30_000

/**
 * A lock that one server of a database holds at a time, and the connection it is held on: whoever loses the
 * connection has lost the lock.
 */
export class Leader {
  readonly #connection: OwnConnection
  readonly #lost: AbortController

  private constructor(connection: OwnConnection, lost: AbortController) {
    this.#connection = connection
    this.#lost = lost
  }

  /** Null while another one holds it. */
  static async take(endpoint: Endpoint, lock: number): Promise<Leader | null> {
    const lost = new AbortController()
    const leader = new Leader(connectionFor(endpoint, lost), lost)
    const row = await leader.one(tryLock(lock))
    if (row.locked) return leader
    await leader.release()
    return null
  }

  /** Aborted once it is not the leader any more. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** @throws AppError; the lock is lost with it */
  async many<Row>(statement: Statement<Row>): Promise<Row[]> {
    this.#lost.signal.throwIfAborted()
    try {
      return await this.#connection.many(statement)
    } catch (error) {
      this.#lost.abort(error)
      throw error
    }
  }

  async one<Row>(statement: Statement<Row>): Promise<Row> {
    const [row] = await this.many(statement)
    if (row === undefined) throw new Error('a statement that must return a row returned none')
    return row
  }

  /** Does what two must not do at the same time; waits while another one does. */
  async alone<T>(which: number, work: () => Promise<T>): Promise<T> {
    await this.many(lock(which))
    try {
      return await work()
    } finally {
      // A lost connection has given it back already.
      if (!this.#lost.signal.aborted) await this.many(unlock(which))
    }
  }

  async release(): Promise<void> {
    this.#lost.abort()
    await this.#connection.close()
  }
}

function connectionFor(endpoint: Endpoint, lost: AbortController): OwnConnection {
  const options = { name: 'catalyst-db backups', timeoutMs: TIMEOUT_MS }
  return workerConnection(endpoint, options, () => lost.abort(new Error('the connection was lost')))
}
