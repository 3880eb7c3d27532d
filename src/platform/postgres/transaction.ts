import { finished } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { abortError } from '../../errors.js'
import type { EventData, EventType } from '../../events.js'
import { insertOutbox, selectTransactionId } from './outbox.js'
import type { Transaction } from './queryable.js'
import type { Statement } from './sql.js'

/** Large enough that a COPY is not one system call per row. */
const COPY_CHUNK_CHARACTERS = 65_536

/** A transaction on one connection. It neither begins nor ends itself: its owner does. */
export class PgTransaction implements Transaction {
  readonly signal: AbortSignal
  readonly #client: pg.ClientBase
  readonly #prepare: boolean
  #id: string | null = null

  constructor(options: {
    readonly client: pg.ClientBase
    readonly signal: AbortSignal
    /** False behind a transaction-mode pooler, where a prepared statement may be another session's. */
    readonly prepare: boolean
  }) {
    this.#client = options.client
    this.signal = options.signal
    this.#prepare = options.prepare
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
    const stream = this.#client.query(copyFrom(statement.text))
    const done = finished(stream, { readable: false })
    let chunk = ''
    for (const line of lines) {
      chunk += `${line}\n`
      if (chunk.length < COPY_CHUNK_CHARACTERS) continue
      if (!stream.write(chunk)) await Promise.race([drained(stream), done])
      chunk = ''
    }
    stream.end(chunk)
    await done
  }

  async emit<T extends EventType>(type: T, data: EventData<T>): Promise<void> {
    const { transaction_id } = await this.one(insertOutbox(type, data))
    this.#id = transaction_id
  }

  async id(): Promise<string> {
    this.#id ??= (await this.one(selectTransactionId())).transaction_id
    return this.#id
  }

  /** The id if PostgreSQL has given one, without asking. */
  get knownId(): string | null {
    return this.#id
  }

  async #query<Row>(statement: Statement<Row>): Promise<pg.QueryResult<Row & pg.QueryResultRow>> {
    if (this.signal.aborted) throw abortError(this.signal)
    const { text, values, name } = statement
    return this.#client.query({
      text,
      values: [...values],
      ...(name !== undefined && this.#prepare ? { name } : {}),
    })
  }
}

const drained = (stream: NodeJS.WritableStream): Promise<void> =>
  new Promise((resolve) => stream.once('drain', resolve))
