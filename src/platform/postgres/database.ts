import pg from 'pg'
import { abortError } from '../../errors.js'
import { OwnClient } from './client.js'
import type { Endpoint } from './connection.js'
import { behindPooler, isPoolExhausted, LostConnection, unreachable } from './errors.js'
import { type Hearing, Lease } from './lease.js'
import { Gate, repeatWhenUndone } from './policies.js'
import type { Queryable, Transaction } from './queryable.js'
import type { TransactionMode } from './settings.js'
import type { Statement } from './sql.js'

/** How one transaction is to run, and who may stop it. */
export interface TransactionOptions extends TransactionMode {
  readonly signal?: AbortSignal
  /** Nothing is lost with it: when the answer of its commit is, it may simply be run again. */
  readonly wroteNothing?: boolean
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
  readonly #gate = new Gate()
  readonly #heard: Hearing

  constructor(options: {
    readonly endpoint: Endpoint
    readonly poolMax: number
    readonly heard?: Hearing
  }) {
    this.#endpoint = options.endpoint
    this.#heard = options.heard ?? {}
    this.#pool = new pg.Pool({
      ...options.endpoint.config,
      Client: clientsOf(options.endpoint),
      max: options.poolMax,
      connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
      idleTimeoutMillis: IDLE_MS,
      verify: admitTo(options.endpoint),
    })
    // An idle connection that dies is dropped by the pool; without a listener it would end the process.
    this.#pool.on('error', () => options.endpoint.servers.suspect())
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
    const lease = await this.#begin(options)
    try {
      const result = await lease.use(signal, work)
      await lease.commit(options)
      return result
    } catch (error) {
      await lease.rollBack()
      throw error
    } finally {
      lease.release()
    }
  }

  /**
   * A connection for as long as its holder needs it, not through a pooler.
   *
   * @throws AppError `unavailable` when none becomes free or can be made in time,
   *   or when there is a pooler between
   */
  async lease(): Promise<Lease> {
    const lease = await this.#lease()
    if (!lease.isPooled) return lease
    lease.release()
    throw behindPooler()
  }

  /** Closes every connection once its work is done. */
  async close(): Promise<void> {
    await this.#pool.end()
  }

  #lease(): Promise<Lease> {
    return this.#gate.pass(() => this.#take())
  }

  /** A pooled connection may have died unnoticed: nothing was done on it yet, so another one is taken. */
  async #begin(options: TransactionOptions, isRepeat = false): Promise<Lease> {
    const { signal } = options
    const lease = await this.#lease()
    try {
      await lease.begin(options, signal)
      return lease
    } catch (error) {
      lease.release()
      if (signal?.aborted) throw abortError(signal)
      if (isRepeat || !(error instanceof LostConnection)) throw error
      return this.#begin(options, true)
    }
  }

  async #take(): Promise<Lease> {
    for (;;) {
      const client = await this.#connect()
      const standing = this.#endpoint.servers.standingOf(client)
      if (standing) {
        return new Lease({ client, endpoint: this.#endpoint, standing, heard: this.#heard })
      }
      // It was cut after the pool had taken it out.
      client.release(true)
    }
  }

  /** Once more when that fails: the network may have hiccuped, or the primary may be another one by now. */
  async #connect(isRepeat = false): Promise<pg.PoolClient> {
    const { servers } = this.#endpoint
    try {
      await servers.primary()
      return await this.#pool.connect()
    } catch (error) {
      servers.suspect()
      if (isRepeat || isPoolExhausted(error)) throw unreachable(error)
      return this.#connect(true)
    }
  }

  #read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { signal } = new AbortController()
    return repeatWhenUndone(signal, () => this.transaction(work, { readOnly: true, signal }))
  }
}

/** Clients that find out where the primary is when they are made, not when the pool was. */
const clientsOf = ({ config, servers }: Endpoint) =>
  class PrimaryClient extends OwnClient {
    constructor() {
      super({ ...config, ...servers.assumedPrimary })
    }
  }

const admitTo =
  ({ servers }: Endpoint): NonNullable<pg.PoolConfig['verify']> =>
  (client, done) => {
    servers.admit(client).then(() => done(), done)
  }
