import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { abortError } from '../../errors.js'
import { backendOf, requestCancel } from './cancel.js'
import { connectDirectly, type Endpoint } from './connection.js'
import { BorrowedWire } from './dump/wire.js'
import { translate } from './errors.js'
import type { Statement } from './sql.js'

/** The driver's types do not know `queryMode`. */
interface Query extends pg.QueryConfig {
  readonly queryMode?: 'extended'
}

/** A role that may log in. */
export interface Login {
  readonly user: string
  /** Not needed where the socket is trusted. */
  readonly password?: string
}

/** Where a session goes, if not to the endpoint's own database as its own role. */
interface Place extends Partial<Login> {
  readonly database?: string
  /** Where to speak of replication as well. */
  readonly replication?: 'database'
  /** As PostgreSQL's own views show it. */
  readonly name?: string
}

/** A request to stop may be lost on a busy machine or network: it is repeated until the statement ends. */
const ASK_AGAIN_MS = 1_000

/** A connection of its own, not through a pooler, for work that holds session state such as locks. */
export class DirectSession {
  readonly #endpoint: Endpoint
  readonly #client: pg.Client

  private constructor(endpoint: Endpoint, client: pg.Client) {
    this.#endpoint = endpoint
    this.#client = client
  }

  /**
   * Connects, as somebody else or to another database where that is said, runs `work`, and closes, whatever happens.
   *
   * @throws AppError `unavailable` when only a pooler answers; what the driver throws as a client may see it
   */
  static async use<T>(
    endpoint: Endpoint,
    work: (session: DirectSession) => Promise<T>,
    place: Place | null = null,
  ): Promise<T> {
    const session = await DirectSession.open(endpoint, place ?? {})
    try {
      return await work(session)
    } catch (error) {
      throw translate(error)
    } finally {
      await session.close()
    }
  }

  /**
   * The same for who closes it.
   *
   * @throws AppError `unavailable` when only a pooler answers
   */
  static async open(
    endpoint: Endpoint,
    { name = 'catalyst-db migrations', ...login }: Place = {},
  ): Promise<DirectSession> {
    try {
      const client = await connectDirectly(endpoint, { name, timeoutMs: 0 }, login)
      return new DirectSession(endpoint, client)
    } catch (error) {
      throw translate(error)
    }
  }

  /** Ends it, whatever is under way on it. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => {})
  }

  /** All rows of one statement, or of the last of several without parameters. */
  async many<Row>(statement: Statement<Row>): Promise<Row[]> {
    const { text, values } = statement
    // Without parameters the simple protocol is used, which takes several statements at once.
    const result = await this.#client.query<Row & pg.QueryResultRow>(
      text,
      values.length > 0 ? [...values] : undefined,
    )
    return result.rows ?? []
  }

  /** How many rows one statement changed; prepared once under its name where it has one. */
  async run({ text, values, name }: Statement<unknown>): Promise<number> {
    const { rowCount } = await this.#client.query({
      text,
      values: [...values],
      ...(name === undefined ? {} : { name }),
    })
    return rowCount ?? 0
  }

  /** Lets a program speak over this connection, inside of the open transaction; nobody else may use it meanwhile. */
  async lend<T>(work: (wire: BorrowedWire) => Promise<T>): Promise<T> {
    const wire = await BorrowedWire.borrow(this.#client)
    try {
      return await work(wire)
    } finally {
      wire.giveBack()
      // What the program has prepared would be in the way of the next one.
      await this.#client.query('deallocate all').catch(() => {})
    }
  }

  /** The bytes of a `COPY … TO STDOUT`; whoever reads slowly slows PostgreSQL down. */
  copyOut({ text }: Statement<never>): Readable & { readonly rowCount: number } {
    return this.#client.query(copyTo(text))
  }

  /** Runs a `COPY … FROM STDIN` of these bytes, and answers how many rows it stored. */
  async copyIn(
    { text }: Statement<never>,
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<number> {
    const stream = this.#client.query(copyFrom(text))
    await pipeline(bytes, stream, signal ? { signal } : {})
    return stream.rowCount
  }

  /**
   * The command tag of one statement, such as `COMMIT`. When the signal is aborted PostgreSQL is asked
   * to stop it, which shows as its error.
   */
  async command(text: string, signal?: AbortSignal): Promise<string> {
    return (await this.#stoppable({ text }, signal)).command
  }

  /**
   * The same for a statement that is not ours: a Parse of its own, so that it is one statement to the
   * server whatever its text does with quotes. Also answers how many rows it wrote.
   */
  async statement(text: string, signal: AbortSignal): Promise<{ rows: number }> {
    const { rowCount } = await this.#stoppable({ text, queryMode: 'extended' }, signal)
    return { rows: rowCount ?? 0 }
  }

  async #stoppable(query: Query, signal?: AbortSignal): Promise<pg.QueryResult> {
    if (signal?.aborted) throw abortError(signal)
    let stopping: Promise<void> | null = null
    const ended = new AbortController()
    const stop = (): void => {
      stopping = this.#askToStop(ended.signal)
    }
    signal?.addEventListener('abort', stop, { once: true })
    try {
      return await this.#client.query(query)
    } finally {
      signal?.removeEventListener('abort', stop)
      ended.abort()
      // A late cancel must not hit the next statement.
      await stopping
    }
  }

  async #askToStop(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      await requestCancel(this.#endpoint, this.#client).catch(() => {})
      await delay(ASK_AGAIN_MS, undefined, { signal: ended }).catch(() => {})
    }
  }

  /** The backend's process id, as PostgreSQL's own views show it. */
  get backendPid(): number | null {
    return backendOf(this.#client).processID
  }
}
