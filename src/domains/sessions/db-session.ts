import { AppError, abortError } from '../../errors.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Lease } from '../../platform/postgres/lease.js'
import type { BeforeCommit, Transaction } from '../../platform/postgres/queryable.js'
import type { IsolationLevel } from '../../platform/postgres/settings.js'
import { HeldTransaction } from './held-transaction.js'
import type { Slots } from './slots.js'
import type { Ending } from './sql.js'

/** What a session was started with. */
export interface SessionOptions {
  readonly id: string
  readonly owner: string
  readonly isolation: IsolationLevel
  readonly readOnly: boolean
  readonly startedAt: Date
  /** How long PostgreSQL itself lets a transaction idle, should this process stop looking. */
  readonly idleTimeoutMs: number
}

/** One leased session: at most one connection, at most one open transaction, one call at a time. */
export class DbSession {
  readonly options: SessionOptions
  lastUsedAt: Date
  operationsCount = 0
  /** How many transactions it has committed. */
  commits = 0
  /** Its end, where its owner has decided it, or a commit whose fate nobody knows. */
  settledAs: Ending | null = null
  readonly #ended = new AbortController()
  #lease: Lease | null = null
  #slots: Slots | null = null
  #hasTransaction = false
  #tools: string[] = []
  #beforeCommit: BeforeCommit[] = []
  #queue: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(options: SessionOptions) {
    this.options = options
    this.lastUsedAt = options.startedAt
  }

  /** A transaction is open: its connection cannot be taken away. */
  get hasTransaction(): boolean {
    return this.#hasTransaction
  }

  /** A call is running or waiting to run. */
  get isBusy(): boolean {
    return this.#waiting > 0
  }

  /** The session holds a connection, or is about to. */
  get isPinned(): boolean {
    return this.#slots !== null
  }

  /** Its connection may be taken from it: nothing is open on it, and nobody is about to use it. */
  get isSpare(): boolean {
    return this.#lease !== null && !this.#hasTransaction && !this.isBusy
  }

  /** The connection went away, and with it whatever was not committed. */
  get isLost(): boolean {
    return this.#lease?.isLost ?? false
  }

  /** The backend of the held connection. */
  get backendPid(): number | null {
    return this.#lease?.backendPid ?? null
  }

  /** The tools whose effects the open transaction holds. */
  get tools(): readonly string[] {
    return this.#tools
  }

  /** Runs calls of this session one after the other. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++
    const turn = this.#queue.then(work)
    this.#queue = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.#waiting--
    }
  }

  /** Takes a connection to hold, in the slot that was taken for it. */
  async pin(database: Database, slots: Slots, onLost: () => void): Promise<void> {
    this.#slots = slots
    try {
      this.#lease = await database.lease()
      this.#lease.onLost(onLost)
    } catch (error) {
      this.unpin()
      throw error
    }
  }

  /** Gives connection and slot up; a new connection in its place has none of its state. */
  unpin(): void {
    this.#lease?.release({ discard: true })
    this.#lease = null
    this.#slots?.give()
    this.#slots = null
  }

  /** Opens the transaction unless one is open. */
  async open(): Promise<void> {
    if (this.#hasTransaction) return
    const { isolation, readOnly, idleTimeoutMs } = this.options
    await this.#held().begin({ isolation, readOnly, idleTimeoutMs })
    this.#hasTransaction = true
    this.#tools = []
    this.#beforeCommit = []
  }

  /** Uses the open transaction, until the call or the session ends. */
  use<T>(signal: AbortSignal, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#held().use(AbortSignal.any([signal, this.#ended.signal]), work)
  }

  /** One operation of a client in the open transaction; `tool` is null when it only reads. */
  async operate<T>(
    tool: string | null,
    signal: AbortSignal,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<T> {
    const result = await this.use(signal, (tx) => work(this.#hold(tx)))
    this.operationsCount++
    if (tool) this.#tools.push(tool)
    return result
  }

  /** The same, but a failure undoes only this operation and leaves the transaction usable. */
  async operateAlone<T>(
    tool: string,
    signal: AbortSignal,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<T> {
    const lease = this.#held()
    const promised = this.#beforeCommit.length
    await lease.savepoint()
    try {
      return await this.operate(tool, signal, work)
    } catch (error) {
      this.#beforeCommit.length = promised
      if (!lease.isLost) await lease.rollBackToSavepoint()
      throw error
    }
  }

  /** Does what operations left for the end of the transaction. */
  async prepareCommit(signal: AbortSignal): Promise<void> {
    for (const work of this.#beforeCommit.splice(0)) await this.use(signal, work)
  }

  /**
   * Commits the open transaction. One whose fate cannot be found out is the session's last.
   *
   * @throws AppError why the session has ended meanwhile, or as the lease does
   */
  async commit(options: { readonly wroteNothing: boolean }): Promise<void> {
    if (this.#ended.signal.aborted) throw abortError(this.#ended.signal)
    try {
      await this.#held().commit(options)
      this.commits++
    } catch (error) {
      if (error instanceof AppError && error.code === 'outcome_unknown') this.settledAs = 'unknown'
      throw error
    } finally {
      this.#hasTransaction = false
    }
  }

  /** Rolls back what is open. */
  async rollBack(): Promise<void> {
    this.#hasTransaction = false
    await this.#lease?.rollBack()
  }

  /** Stops what runs with `reason`, waits for it, rolls back, and gives the connection up. */
  async end(reason: AppError): Promise<void> {
    this.#ended.abort(reason)
    await this.inTurn(() => this.rollBack())
    this.unpin()
  }

  #hold(tx: Transaction): Transaction {
    return new HeldTransaction(tx, (work) => this.#beforeCommit.push(work))
  }

  #held(): Lease {
    if (this.#lease) return this.#lease
    throw new Error('the session holds no connection')
  }
}
