import pg from 'pg'
import { abortError } from '../../errors.js'
import type { Endpoint } from './connection.js'
import { translate } from './errors.js'
import { Lease, type TransactionMode } from './lease.js'
import type { Queryable, Transaction } from './queryable.js'
import type { Statement } from './sql.js'

/** How one transaction is to run, and who may stop it. */
export interface TransactionOptions extends TransactionMode {
  readonly signal?: AbortSignal
}

/** The pool as its users see it. */
export interface PoolStats {
  readonly total: number
  readonly active: number
  readonly idle: number
  readonly waiting: number
}

const ACQUIRE_TIMEOUT_MS = 5_000
const IDLE_MS = 30_000

/** The database: pooled connections, and transactions that never leave one dirty. */
export class Database implements Queryable {
  readonly #endpoint: Endpoint
  readonly #pool: pg.Pool
  #isPooled: boolean | null = null

  constructor(options: { readonly endpoint: Endpoint; readonly poolMax: number }) {
    this.#endpoint = options.endpoint
    this.#pool = new pg.Pool({
      ...options.endpoint.config,
      max: options.poolMax,
      connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_MS,
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
   * Runs `work` in one transaction and commits it; whatever goes wrong rolls it back.
   *
   * @throws AppError with the driver's error as its cause
   */
  async transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    const signal = options.signal ?? new AbortController().signal
    if (signal.aborted) throw abortError(signal)
    const lease = await this.lease()
    try {
      await lease.begin(options)
      const result = await lease.use(signal, work)
      await lease.commit()
      return result
    } catch (error) {
      await lease.rollBack()
      throw error
    } finally {
      lease.release()
    }
  }

  /**
   * A connection for as long as its holder needs it.
   *
   * @throws AppError `unavailable` when none becomes free or can be made in time
   */
  async lease(): Promise<Lease> {
    try {
      const client = await this.#pool.connect()
      this.#isPooled ??= await isBehindPooler(client)
      return new Lease({ client, endpoint: this.#endpoint, prepare: !this.#isPooled })
    } catch (error) {
      throw translate(error)
    }
  }

  /** Closes every connection once its work is done. */
  async close(): Promise<void> {
    await this.#pool.end()
  }

  #read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.transaction(work, { readOnly: true })
  }
}

/** PgBouncer hands out a made-up process id; a direct connection's is its backend's. */
async function isBehindPooler(client: pg.PoolClient): Promise<boolean> {
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return rows[0]?.pid !== Reflect.get(client, 'processID')
  } catch (error) {
    client.release(true)
    throw error
  }
}
