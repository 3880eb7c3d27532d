import pg from 'pg'
import { AppError, abortError } from '../../errors.js'
import { requestCancel } from './cancel.js'
import { connect, type Endpoint } from './connection.js'
import { isConnectionLoss, translate } from './errors.js'
import type { Queryable, Transaction } from './queryable.js'
import { type Statement, sql } from './sql.js'
import { PgTransaction } from './transaction.js'

/** SQL's isolation levels that PostgreSQL tells apart. */
export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable'

/** How one transaction is to run. */
export interface TransactionOptions {
  readonly signal?: AbortSignal
  readonly isolation?: IsolationLevel
  readonly readOnly?: boolean
  /** Longest run of one statement, in milliseconds. */
  readonly statementTimeoutMs?: number
  /** Longest wait for a lock, in milliseconds. */
  readonly lockTimeoutMs?: number
}

/** The pool as its users see it. */
export interface PoolStats {
  readonly total: number
  readonly active: number
  readonly idle: number
  readonly waiting: number
}

const STATEMENT_TIMEOUT_MS = 30_000
const LOCK_TIMEOUT_MS = 5_000
const IDLE_IN_TRANSACTION_MS = 60_000
const ACQUIRE_TIMEOUT_MS = 5_000
/** How long the fate of a transaction whose COMMIT went unanswered is asked for. */
const FATE_DEADLINE_MS = 10_000
const FATE_POLL_MS = 100

/** The database: pooled connections, and transactions that never leave one dirty. */
export class Database implements Queryable {
  readonly #endpoint: Endpoint
  readonly #pool: pg.Pool
  #pooler: boolean | null = null

  constructor(options: { readonly endpoint: Endpoint; readonly poolMax: number }) {
    this.#endpoint = options.endpoint
    this.#pool = new pg.Pool({
      ...options.endpoint.config,
      max: options.poolMax,
      connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
      idleTimeoutMillis: 30_000,
    })
    // An idle connection that dies is dropped by the pool; without a listener it would end the process.
    this.#pool.on('error', () => {})
  }

  /** Counts of pooled connections now. */
  get stats(): PoolStats {
    const { totalCount, idleCount, waitingCount } = this.#pool
    return {
      total: totalCount,
      active: totalCount - idleCount,
      idle: idleCount,
      waiting: waitingCount,
    }
  }

  many<Row>(statement: Statement<Row>): Promise<Row[]> {
    return this.#read((tx) => tx.many(statement))
  }

  maybeOne<Row>(statement: Statement<Row>): Promise<Row | null> {
    return this.#read((tx) => tx.maybeOne(statement))
  }

  one<Row>(statement: Statement<Row>): Promise<Row> {
    return this.#read((tx) => tx.one(statement))
  }

  run(statement: Statement<unknown>): Promise<number> {
    return this.transaction((tx) => tx.run(statement))
  }

  /**
   * Runs `work` in one transaction and commits it; whatever goes wrong rolls it back. When the
   * signal is aborted the running statement is stopped in PostgreSQL itself. A COMMIT whose answer
   * is lost is settled by asking the database for the transaction's fate.
   *
   * @throws AppError with the driver's error as its cause
   */
  async transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    const signal = options.signal ?? new AbortController().signal
    if (signal.aborted) throw abortError(signal)
    const client = await this.#acquire()
    const lease = new Lease(client, this.#endpoint, signal)
    try {
      await client.query(begin(options))
      const tx = new PgTransaction({ client, signal, prepare: this.#pooler === false })
      const result = await work(tx)
      await lease.settleCancel()
      if (signal.aborted) throw abortError(signal)
      await this.#commit(client, tx.knownId)
      return result
    } catch (error) {
      await lease.rollBack(error)
      throw signal.aborted ? abortError(signal) : translate(error)
    } finally {
      await lease.release()
    }
  }

  /** Closes every connection once its work is done. */
  async close(): Promise<void> {
    await this.#pool.end()
  }

  #read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.transaction(work, { readOnly: true })
  }

  async #acquire(): Promise<pg.PoolClient> {
    try {
      const client = await this.#pool.connect()
      this.#pooler ??= await isBehindPooler(client)
      return client
    } catch (error) {
      throw translate(error)
    }
  }

  async #commit(client: pg.PoolClient, id: string | null): Promise<void> {
    try {
      const { command } = await client.query('commit')
      // https://www.postgresql.org/docs/current/sql-commit.html: a failed transaction answers ROLLBACK.
      if (command === 'COMMIT') return
    } catch (error) {
      if (!isConnectionLoss(error) || id === null) throw error
      if (await this.#hasCommitted(id, error)) return
      throw error
    }
    throw new AppError(
      'conflict',
      'PostgreSQL rolled the transaction back instead of committing it.',
      {
        hint: 'Nothing was written; send the same call again.',
        retryable: true,
      },
    )
  }

  /** Asks the database itself; never guesses. */
  async #hasCommitted(id: string, cause: unknown): Promise<boolean> {
    const deadline = Date.now() + FATE_DEADLINE_MS
    while (Date.now() < deadline) {
      const fate = await this.#fateOf(id)
      if (fate === 'committed') return true
      if (fate === 'aborted') return false
      await new Promise((resolve) => setTimeout(resolve, FATE_POLL_MS))
    }
    throw new AppError('outcome_unknown', 'The connection was lost while committing.', {
      hint: 'Send the same call again with the same idempotency_key: it is then applied exactly once.',
      cause,
    })
  }

  async #fateOf(id: string): Promise<string | null> {
    try {
      const client = await connect(this.#endpoint)
      try {
        const { text, values } = sql`select pg_xact_status(${id}::xid8) as fate`
        const result = await client.query<{ fate: string | null }>(text, [...values])
        return result.rows[0]?.fate ?? null
      } finally {
        await client.end()
      }
    } catch (error) {
      if (isConnectionLoss(error)) return null
      throw error
    }
  }
}

/** One pooled connection in use: what must happen before it may go back. */
class Lease {
  readonly #client: pg.PoolClient
  readonly #signal: AbortSignal
  readonly #onAbort: () => void
  #cancelling: Promise<void> | null = null
  #broken = false

  constructor(client: pg.PoolClient, endpoint: Endpoint, signal: AbortSignal) {
    this.#client = client
    this.#signal = signal
    this.#onAbort = () => {
      // A cancel that cannot be delivered must not leave the caller waiting on a silent connection.
      this.#cancelling = requestCancel(endpoint.config, backendOf(client)).catch(() =>
        sever(client),
      )
    }
    client.on('error', this.#onError)
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  // A checked-out connection that dies reports it here as well as on its statement.
  readonly #onError = (): void => {
    this.#broken = true
  }

  /** From here on nothing may be cancelled: what follows is COMMIT. */
  async settleCancel(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort)
    await this.#cancelling
  }

  async rollBack(error: unknown): Promise<void> {
    // A late cancel must not hit the next user of this connection.
    await this.settleCancel()
    this.#broken ||= isConnectionLoss(error)
    if (this.#broken) return
    await this.#client.query('rollback').catch(() => {
      this.#broken = true
    })
  }

  async release(): Promise<void> {
    await this.settleCancel()
    this.#client.off('error', this.#onError)
    this.#client.release(this.#broken)
  }
}

const sever = (client: pg.PoolClient): void => {
  const connection: unknown = Reflect.get(client, 'connection')
  if (connection instanceof pg.Connection) connection.stream.destroy()
}

const backendOf = (client: pg.PoolClient) => ({
  processID: Reflect.get(client, 'processID') as number | null,
  secretKey: Reflect.get(client, 'secretKey') as number | null,
})

/** PgBouncer hands out a made-up process id; a direct connection's is its backend's. */
async function isBehindPooler(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return rows[0]?.pid !== Reflect.get(client, 'processID')
}

/**
 * One round trip. Limits and output styles are set for the transaction only: behind a pooler
 * anything longer would leak into other applications' sessions.
 */
function begin(options: TransactionOptions): string {
  const mode = options.readOnly ? 'read only' : 'read write'
  return [
    `begin isolation level ${options.isolation ?? 'read committed'} ${mode}`,
    `set local statement_timeout = ${options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS}`,
    `set local lock_timeout = ${options.lockTimeoutMs ?? LOCK_TIMEOUT_MS}`,
    `set local idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`,
    `set local timezone = 'UTC'`,
    `set local datestyle = 'ISO'`,
  ].join('; ')
}
