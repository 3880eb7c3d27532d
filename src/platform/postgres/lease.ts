import type pg from 'pg'
import { AppError, abortError } from '../../errors.js'
import type { Marks } from '../../lib/marks.js'
import { backendOf, requestCancel } from './cancel.js'
import type { Endpoint } from './connection.js'
import { refusesTransactions } from './connection-trouble.js'
import {
  isConnectionLoss,
  isReadOnlyServer,
  LostConnection,
  readOnlyServer,
  sqlState,
  translate,
  unreachable,
} from './errors.js'
import { hasCommitted, noteGivenUp, outcomeUnknown } from './fate.js'
import type { Transaction } from './queryable.js'
import { beginText, type TransactionMode } from './settings.js'
import { type Standing, sever } from './standing.js'
import { PgTransaction } from './transaction.js'

/** A statement that was told to stop and has not said so by then will not: its connection is dead. */
const STOP_MS = 2_000
/** Statements that have nothing to compute or to wait for. */
const BRIEF_MS = 5_000
/** A commit waits for the disk and for synchronous standbys; after this its fate is asked for. */
const COMMIT_MS = 20_000
/** SQLSTATE of `begin read write` in recovery. */
const FEATURE_NOT_SUPPORTED = '0A000'

/** What a commit has done beside its rows. */
export interface Commit {
  /** It left events in the outbox. */
  readonly hasEvents: boolean
  /** The cached values it outdated; undefined when there are none. */
  readonly touched: Marks | undefined
}

/** Who hears what becomes of transactions. */
export interface Hearing {
  /** Why a statement or a commit failed. */
  failed?(error: unknown): void
  /** What was written is committed. */
  committed?(commit: Commit): void
}

/** One pooled connection in use. Whoever holds it must end what is open and release it. */
export class Lease {
  readonly #client: pg.PoolClient
  readonly #endpoint: Endpoint
  readonly #standing: Standing
  readonly #heard: Hearing
  #transaction: PgTransaction | null = null
  #lost: unknown = null
  #onLost: () => void = () => {}

  constructor(options: {
    readonly client: pg.PoolClient
    readonly endpoint: Endpoint
    readonly standing: Standing
    readonly heard: Hearing
  }) {
    this.#heard = options.heard
    this.#client = options.client
    this.#endpoint = options.endpoint
    this.#standing = options.standing
    // A checked-out connection that dies reports it here as well as on its statement.
    this.#client.on('error', this.#noticeLoss)
  }

  /** The process id of the backend, as PostgreSQL's own views show it. */
  get backendPid(): number | null {
    return backendOf(this.#client).processID
  }

  /** Its transactions run on whichever connection to the server a pooler has free. */
  get isPooled(): boolean {
    return this.#standing.is_pooled
  }

  /** True once the connection is gone: whatever was not committed on it has been rolled back. */
  get isLost(): boolean {
    return this.#lost !== null
  }

  /** Called when the connection goes away while nobody is using it. */
  onLost(callback: () => void): void {
    this.#onLost = callback
  }

  /** Opens a transaction; gives the connection up when the caller goes away meanwhile. */
  async begin(mode: TransactionMode, signal?: AbortSignal): Promise<void> {
    const cut = (): void => sever(this.#client)
    signal?.addEventListener('abort', cut, { once: true })
    try {
      if (signal?.aborted) throw abortError(signal)
      await this.#attempt(() => this.#brief(beginText(mode, this.#standing)))
    } catch (error) {
      if (error instanceof LostConnection && refusesTransactions(error.cause)) {
        throw unreachable(error.cause)
      }
      if (sqlState(error) !== FEATURE_NOT_SUPPORTED) throw error
      this.#endpoint.servers.demote(this.#client)
      throw readOnlyServer(error)
    } finally {
      signal?.removeEventListener('abort', cut)
    }
    this.#transaction = new PgTransaction({
      client: this.#client,
      // Behind a pooler a prepared statement may be another session's.
      prepare: !this.#standing.is_pooled,
      isReadOnly: mode.readOnly === true,
    })
  }

  /**
   * Lets `work` use the open transaction. When the signal is aborted the running statement is
   * stopped in PostgreSQL itself; the transaction is then for its holder to roll back.
   */
  async use<T>(signal: AbortSignal, work: (tx: Transaction) => Promise<T>): Promise<T> {
    const transaction = this.#open()
    if (signal.aborted) throw abortError(signal)
    let stopping: Stopping | null = null
    const onAbort = (): void => {
      stopping = this.#stop()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const result = await this.#attempt(() => work(transaction.for(signal)))
      if (signal.aborted) throw abortError(signal)
      return result
    } catch (error) {
      throw signal.aborted ? abortError(signal) : error
    } finally {
      signal.removeEventListener('abort', onAbort)
      await settle(stopping)
    }
  }

  /**
   * Commits. When the answer is lost, the database is asked whether the transaction is there; where
   * nothing was written there is nothing to ask for.
   *
   * @throws AppError when the transaction did not commit, or `outcome_unknown`
   */
  async commit(options: { readonly wroteNothing?: boolean } = {}): Promise<void> {
    const transaction = this.#open()
    if (transaction.hasUntoldMarks) throw new Error('no event says what this transaction outdates')
    if (transaction.trace) this.#endpoint.servers.assertCurrent(transaction.trace.timeline)
    this.#transaction = null
    if (this.isLost) throw new LostConnection(this.#lost)
    const wroteNothing = transaction.isReadOnly || options.wroteNothing === true
    if (await this.#sendCommit(transaction, wroteNothing)) {
      const { trace, marks } = transaction
      if (!wroteNothing)
        this.#heard.committed?.({ hasEvents: trace !== null, touched: marks.marks })
      return
    }
    throw new AppError(
      'conflict',
      'PostgreSQL rolled the transaction back instead of committing it.',
      {
        hint: 'Nothing was written; send the same call again.',
        fix: '',
        retryable: true,
      },
    )
  }

  /** Rolls back what is open; on a lost connection PostgreSQL has done so already. Never rejects. */
  async rollBack(): Promise<void> {
    if (this.#transaction === null && !this.isLost) return
    this.#transaction = null
    if (this.isLost) return
    await this.#brief('rollback').catch((error: unknown) => this.#lose(error))
  }

  /** Marks a point in the open transaction that `rollBackToSavepoint` returns to. */
  async savepoint(): Promise<void> {
    await this.#attempt(() => this.#brief('savepoint operation'))
    this.#open().markSavepoint()
  }

  /** Undoes everything since the savepoint; the transaction stays usable. */
  async rollBackToSavepoint(): Promise<void> {
    await this.#attempt(() => this.#brief('rollback to savepoint operation'))
    this.#open().returnToSavepoint()
  }

  /** Gives the connection back; `discard` when it carries state that nobody else should meet. */
  release(options: { readonly discard?: boolean } = {}): void {
    this.#onLost = () => {}
    this.#client.off('error', this.#noticeLoss)
    const isOpen = this.#transaction !== null || this.#client.getTransactionStatus() !== 'I'
    this.#client.release(this.isLost || isOpen || options.discard === true)
  }

  readonly #noticeLoss = (error: unknown): void => {
    this.#lost ??= error ?? new Error('the connection ended')
    this.#onLost()
  }

  #open(): PgTransaction {
    if (this.#transaction) return this.#transaction
    throw new Error('no transaction is open on this connection')
  }

  /** True when PostgreSQL committed, false when it rolled back instead. */
  async #sendCommit({ trace }: PgTransaction, wroteNothing: boolean): Promise<boolean> {
    const waiting = noteGivenUp(this.#client)
    try {
      const query = { text: 'commit', query_timeout: COMMIT_MS }
      const { command } = await this.#client.query(query)
      // Committed here, but a failover might lose it: the standby has not confirmed it.
      if (waiting.isGivenUp()) throw outcomeUnknown(null)
      // https://www.postgresql.org/docs/current/sql-commit.html: a failed transaction answers ROLLBACK.
      return command === 'COMMIT'
    } catch (error) {
      this.#noticeLossIn(error)
      if (!this.isLost) throw translate(error)
      if (wroteNothing) throw new LostConnection(error)
      if (await hasCommitted(this.#endpoint, trace, error)) return true
      throw new LostConnection(error)
    } finally {
      waiting.forget()
    }
  }

  /** Stops the running statement; a connection on which that shows no effect is cut. */
  #stop(): Stopping {
    const cut = (): void => sever(this.#client)
    return {
      requested: requestCancel(this.#endpoint, this.#client).catch(cut),
      patience: setTimeout(cut, STOP_MS),
    }
  }

  #brief(text: string): Promise<unknown> {
    const query = { text, query_timeout: BRIEF_MS }
    return this.#client.query(query)
  }

  #noticeLossIn(error: unknown): void {
    this.#heard.failed?.(error)
    if (isConnectionLoss(error)) this.#lose(error)
  }

  /** Silence is a loss too: an answer that still came would be taken for the next statement's. */
  #lose(error: unknown): void {
    this.#lost ??= error
    this.#endpoint.servers.suspect()
    sever(this.#client)
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#noticeLossIn(error)
      const wasToWrite = this.#transaction?.isReadOnly === false
      if (wasToWrite && isReadOnlyServer(error)) this.#endpoint.servers.demote(this.#client)
      // What fails on a connection that is gone fails because it is gone.
      throw this.isLost && !(error instanceof AppError)
        ? new LostConnection(error)
        : translate(error)
    }
  }
}

interface Stopping {
  readonly requested: Promise<void>
  readonly patience: NodeJS.Timeout
}

/** A late cancel must not hit the next statement of the connection. */
async function settle(stopping: Stopping | null): Promise<void> {
  if (!stopping) return
  clearTimeout(stopping.patience)
  await stopping.requested
}
