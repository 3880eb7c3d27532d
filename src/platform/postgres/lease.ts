import pg from 'pg'
import { AppError, abortError } from '../../errors.js'
import { requestCancel } from './cancel.js'
import type { Endpoint } from './connection.js'
import { isConnectionLoss, translate } from './errors.js'
import { hasCommitted } from './fate.js'
import type { Transaction } from './queryable.js'
import { PgTransaction } from './transaction.js'

/** SQL's isolation levels that PostgreSQL tells apart. */
export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable'

/** How one transaction is to run. */
export interface TransactionMode {
  readonly isolation?: IsolationLevel
  readonly readOnly?: boolean
  /** Longest run of one statement, in milliseconds. */
  readonly statementTimeoutMs?: number
  /** Longest wait for a lock, in milliseconds. */
  readonly lockTimeoutMs?: number
  /** How long PostgreSQL lets the transaction wait for its next statement, in milliseconds. */
  readonly idleTimeoutMs?: number
}

const STATEMENT_TIMEOUT_MS = 30_000
const LOCK_TIMEOUT_MS = 5_000
const IDLE_IN_TRANSACTION_MS = 60_000

/** One pooled connection in use. Whoever holds it must end what is open and release it. */
export class Lease {
  readonly #client: pg.PoolClient
  readonly #endpoint: Endpoint
  readonly #prepare: boolean
  #transaction: PgTransaction | null = null
  #lost: unknown = null
  #onLost: () => void = () => {}

  constructor(options: {
    readonly client: pg.PoolClient
    readonly endpoint: Endpoint
    /** False behind a transaction-mode pooler, where a prepared statement may be another session's. */
    readonly prepare: boolean
  }) {
    this.#client = options.client
    this.#endpoint = options.endpoint
    this.#prepare = options.prepare
    // A checked-out connection that dies reports it here as well as on its statement.
    this.#client.on('error', this.#noticeLoss)
  }

  /** The process id of the backend, as PostgreSQL's own views show it. */
  get backendPid(): number | null {
    return backendOf(this.#client).processID
  }

  /** True once the connection is gone: whatever was not committed on it has been rolled back. */
  get isLost(): boolean {
    return this.#lost !== null
  }

  /** Called when the connection goes away while nobody is using it. */
  onLost(callback: () => void): void {
    this.#onLost = callback
  }

  /** Opens a transaction. */
  async begin(mode: TransactionMode): Promise<void> {
    await this.#attempt(() => this.#client.query(beginText(mode)))
    this.#transaction = new PgTransaction({ client: this.#client, prepare: this.#prepare })
  }

  /**
   * Lets `work` use the open transaction. When the signal is aborted the running statement is
   * stopped in PostgreSQL itself; the transaction is then for its holder to roll back.
   */
  async use<T>(signal: AbortSignal, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const transaction = this.#open()
    let cancelling: Promise<void> | null = null
    const onAbort = (): void => {
      // A cancel that cannot be delivered must not leave the caller waiting on a silent connection.
      cancelling = requestCancel(this.#endpoint.config, backendOf(this.#client)).catch(() =>
        sever(this.#client),
      )
    }
    if (signal.aborted) throw abortError(signal)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const result = await this.#attempt(() => work(transaction.for(signal)))
      if (signal.aborted) throw abortError(signal)
      return result
    } catch (error) {
      throw signal.aborted ? abortError(signal) : error
    } finally {
      signal.removeEventListener('abort', onAbort)
      // A late cancel must not hit the next statement of this connection.
      await cancelling
    }
  }

  /**
   * Commits. When the answer is lost, PostgreSQL is asked for the transaction's fate.
   *
   * @throws AppError when the transaction did not commit, or `outcome_unknown`
   */
  async commit(): Promise<void> {
    const id = this.#open().knownId
    this.#transaction = null
    try {
      const { command } = await this.#client.query('commit')
      // https://www.postgresql.org/docs/current/sql-commit.html: a failed transaction answers ROLLBACK.
      if (command === 'COMMIT') return
    } catch (error) {
      this.#noticeLossIn(error)
      const settled = id !== null && isConnectionLoss(error)
      if (settled && (await hasCommitted(this.#endpoint, id, error))) return
      throw translate(error)
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

  /** Rolls back what is open; on a lost connection PostgreSQL has done so already. Never rejects. */
  async rollBack(): Promise<void> {
    if (this.#transaction === null && !this.isLost) return
    this.#transaction = null
    if (this.isLost) return
    await this.#client.query('rollback').catch((error: unknown) => {
      this.#lost = error
    })
  }

  /** Marks a point in the open transaction that `rollBackTo` can return to. */
  async savepoint(): Promise<void> {
    await this.#attempt(() => this.#client.query('savepoint operation'))
  }

  /** Undoes everything since the savepoint; the transaction stays usable. */
  async rollBackToSavepoint(): Promise<void> {
    await this.#attempt(() => this.#client.query('rollback to savepoint operation'))
  }

  /** Gives the connection back; `discard` when it carries state that nobody else should meet. */
  release(options: { readonly discard?: boolean } = {}): void {
    this.#onLost = () => {}
    this.#client.off('error', this.#noticeLoss)
    const isDirty = this.isLost || this.#transaction !== null || options.discard === true
    this.#client.release(isDirty)
  }

  readonly #noticeLoss = (error: unknown): void => {
    this.#lost = error ?? new Error('the connection ended')
    this.#onLost()
  }

  #open(): PgTransaction {
    if (this.#transaction) return this.#transaction
    throw new Error('no transaction is open on this connection')
  }

  #noticeLossIn(error: unknown): void {
    if (this.#lost === null && isConnectionLoss(error)) this.#lost = error
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#noticeLossIn(error)
      throw translate(error)
    }
  }
}

function sever(client: pg.PoolClient): void {
  const connection: unknown = Reflect.get(client, 'connection')
  if (connection instanceof pg.Connection) connection.stream.destroy()
}

const backendOf = (client: pg.PoolClient) => ({
  processID: Reflect.get(client, 'processID') as number | null,
  secretKey: Reflect.get(client, 'secretKey') as number | null,
})

/**
 * One round trip. Limits and output styles are set for the transaction only: behind a pooler
 * anything longer would leak into other applications' sessions.
 */
function beginText(mode: TransactionMode): string {
  const access = mode.readOnly ? 'read only' : 'read write'
  return [
    `begin isolation level ${mode.isolation ?? 'read committed'} ${access}`,
    `set local statement_timeout = ${mode.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS}`,
    `set local lock_timeout = ${mode.lockTimeoutMs ?? LOCK_TIMEOUT_MS}`,
    `set local idle_in_transaction_session_timeout = ${mode.idleTimeoutMs ?? IDLE_IN_TRANSACTION_MS}`,
    `set local timezone = 'UTC'`,
    `set local datestyle = 'ISO'`,
  ].join('; ')
}
