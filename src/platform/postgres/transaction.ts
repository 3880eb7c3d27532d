import { finished } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { abortError } from '../../errors.js'
import type { EventData, EventFacts, EventType } from '../../events.js'
import { type CacheType, MarkSet, type Marks } from '../../lib/marks.js'
import { REFS_PER_EVENT, type Ref, RefSet } from '../../lib/refs.js'
import type { AuditEntry } from './audit-trail.sql.js'
import { insertOutbox, insertOutboxAndAudit, selectTransactionId, type Trace } from './outbox.js'
import type { Transaction } from './queryable.js'
import type { Statement } from './sql.js'

/** Large enough that a COPY is not one system call per row. */
const COPY_CHUNK_CHARACTERS = 65_536

/** The open transaction of one connection. It neither begins nor ends itself: its lease does. */
export class PgTransaction {
  readonly client: pg.ClientBase
  readonly prepare: boolean
  readonly isReadOnly: boolean
  /** PostgreSQL's id of the transaction, once it is known. */
  id: string | null = null
  /** What shows afterwards whether it committed: the newest event it wrote. */
  trace: Trace | null = null
  /** Kept also when an operation is undone: what was not changed may be read again. */
  readonly marks = new MarkSet()
  /** No event names the newest marks yet. */
  hasUntoldMarks = false
  /** What changed; what is undone has not. */
  readonly refs = new RefSet()
  #traceAtSavepoint: Trace | null = null
  #refsAtSavepoint = 0

  constructor(options: {
    readonly client: pg.ClientBase
    readonly prepare: boolean
    readonly isReadOnly: boolean
  }) {
    this.client = options.client
    this.prepare = options.prepare
    this.isReadOnly = options.isReadOnly
  }

  /** Notes what a return to the savepoint just set must not forget, and what it must. */
  markSavepoint(): void {
    this.#traceAtSavepoint = this.trace
    this.#refsAtSavepoint = this.refs.size
  }

  /** Forgets what was written since the savepoint. */
  returnToSavepoint(): void {
    this.trace = this.#traceAtSavepoint
    this.refs.shrinkTo(this.#refsAtSavepoint)
  }

  /** The transaction as one call sees it: with that call's signal. */
  for(signal: AbortSignal): Transaction {
    return new CallTransaction(this, signal)
  }
}

class CallTransaction implements Transaction {
  readonly signal: AbortSignal
  readonly held = null
  readonly #transaction: PgTransaction

  constructor(transaction: PgTransaction, signal: AbortSignal) {
    this.#transaction = transaction
    this.signal = signal
  }

  async many<Row>(statement: Statement<Row>): Promise<Row[]> {
    return (await this.#query<Row>(statement)).rows
  }

  async maybeOne<Row>(statement: Statement<Row>): Promise<Row | null> {
    return (await this.#query<Row>(statement)).rows[0] ?? null
  }

  async one<Row>(statement: Statement<Row>): Promise<Row> {
    const row = await this.maybeOne(statement)
    if (row === null) throw new Error(`a statement that must return a row returned none`)
    return row
  }

  async run(statement: Statement<unknown>): Promise<number> {
    return (await this.#query(statement)).rowCount ?? 0
  }

  async copyIn(statement: Statement<never>, lines: Iterable<string>): Promise<void> {
    if (this.signal.aborted) throw abortError(this.signal)
    const stream = this.#transaction.client.query(copyFrom(statement.text))
    let failure: unknown = null
    // The stream forgets its connection when that fails: whatever it says from then on is no cause.
    stream.on('error', (error: unknown) => {
      failure ??= error
    })
    try {
      await pump(stream, lines, () => failure !== null)
    } catch (error) {
      throw failure ?? error
    }
  }

  async emit<T extends EventType>(type: T, data: EventFacts<T>, audit?: AuditEntry): Promise<void> {
    if (type !== 'db.transaction') return this.#emit(type, data as EventData<T>, audit)
    const { all } = this.#transaction.refs
    const reported = data as EventFacts<'db.transaction'>
    await this.#emit('db.transaction', { ...reported, refs: all.slice(0, REFS_PER_EVENT) }, audit)
    const { tools, session_id } = reported
    for (let from = REFS_PER_EVENT; from < all.length; from += REFS_PER_EVENT) {
      const refs = all.slice(from, from + REFS_PER_EVENT)
      await this.#emit('db.transaction', { tools, session_id, refs })
    }
  }

  async #emit<T extends EventType>(type: T, data: EventData<T>, audit?: AuditEntry): Promise<void> {
    const trace = await this.one(
      audit ? insertOutboxAndAudit(type, data, audit) : insertOutbox(type, data),
    )
    this.#transaction.id = trace.transaction_id
    this.#transaction.trace = trace
    if (type === 'db.transaction') this.#transaction.hasUntoldMarks = false
  }

  touch(type: CacheType, symbols: Iterable<string | null>): void {
    this.#transaction.marks.add(type, symbols)
    this.#transaction.hasUntoldMarks = this.touched !== undefined
  }

  get touched(): Marks | undefined {
    return this.#transaction.marks.marks
  }

  mention(refs: Iterable<Ref>): void {
    this.#transaction.refs.add(refs)
  }

  get refs(): readonly Ref[] {
    return this.#transaction.refs.all
  }

  async id(): Promise<string> {
    this.#transaction.id ??= (await this.one(selectTransactionId())).transaction_id
    return this.#transaction.id
  }

  async #query<Row>(statement: Statement<Row>): Promise<pg.QueryResult<Row & pg.QueryResultRow>> {
    if (this.signal.aborted) throw abortError(this.signal)
    const { text, values, name } = statement
    return this.#transaction.client.query({
      text,
      values: [...values],
      ...(name !== undefined && this.#transaction.prepare ? { name } : {}),
    })
  }
}

/** Writes all lines and waits until the server has them. */
async function pump(
  stream: NodeJS.WritableStream,
  lines: Iterable<string>,
  hasFailed: () => boolean,
): Promise<void> {
  const done = finished(stream, { readable: false })
  // A failure while a chunk is made is thrown at the end.
  done.catch(() => {})
  let chunk = ''
  for (const line of lines) {
    chunk += `${line}\n`
    if (chunk.length < COPY_CHUNK_CHARACTERS) continue
    if (hasFailed()) return done
    // To make a chunk takes milliseconds, in which nobody else has a turn.
    await (stream.write(chunk) ? nextTurn() : Promise.race([drained(stream), done]))
    chunk = ''
  }
  if (!hasFailed()) stream.end(chunk)
  return done
}

const drained = (stream: NodeJS.WritableStream): Promise<void> =>
  new Promise((resolve) => stream.once('drain', resolve))
