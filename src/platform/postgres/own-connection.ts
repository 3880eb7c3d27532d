import type pg from 'pg'
import { AppError } from '../../errors.js'
import { type ConnectOptions, connectDirectly, type Endpoint } from './connection.js'
import { translate } from './errors.js'
import type { Statement } from './sql.js'

interface OwnConnectionOptions {
  readonly connect: () => Promise<pg.Client>
  /** Hears that the connection went away while nobody was using it. */
  readonly lost?: () => void
}

/**
 * One connection outside the pool, made when first needed and again after it is lost: who must not
 * wait behind the users of the pool has one of these. Its users take turns.
 */
export class OwnConnection {
  readonly #options: OwnConnectionOptions
  #client: Promise<pg.Client> | null = null
  #turns: Promise<unknown> = Promise.resolve()

  constructor(options: OwnConnectionOptions) {
    this.#options = options
  }

  /**
   * Lets `work` use the connection. After a failure it is dropped: it may be lost, or left inside a
   * transaction that has failed, and a new one is neither.
   *
   * @throws AppError with the driver's error as its cause
   */
  use<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const turn = this.#turns.then(() => this.#use(work))
    this.#turns = turn.catch(() => {})
    return turn
  }

  /** All rows of one statement, which is a transaction of its own. */
  many<Row>(statement: Statement<Row>): Promise<Row[]> {
    return this.use((client) => rowsOf(client, statement))
  }

  /**
   * Makes the connection unless it is there. That nobody answers is left to who needs an answer.
   *
   * @throws AppError `unavailable` when only a pooler answers
   */
  async assertDirect(): Promise<void> {
    const opening = this.#connected()
    try {
      await opening
    } catch (error) {
      await this.#drop(opening)
      const told = translate(error)
      if (!(told instanceof AppError && told.retryable)) throw told
    }
  }

  /** Drops the connection; the next use makes a new one. */
  async close(): Promise<void> {
    if (this.#client) await this.#drop(this.#client)
  }

  async #use<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const opening = this.#connected()
    try {
      return await work(await opening)
    } catch (error) {
      await this.#drop(opening)
      throw translate(error)
    }
  }

  #connected(): Promise<pg.Client> {
    this.#client ??= this.#connect()
    return this.#client
  }

  #connect(): Promise<pg.Client> {
    const opening = this.#options.connect()
    const lost = (): void => {
      if (this.#client !== opening) return
      void this.#drop(opening)
      this.#options.lost?.()
    }
    opening.then(
      (client) => client.on('error', lost).on('end', lost),
      // Who waits for it hears of it.
      () => {},
    )
    return opening
  }

  async #drop(opening: Promise<pg.Client>): Promise<void> {
    if (this.#client === opening) this.#client = null
    await opening.then((client) => client.end()).catch(() => {})
  }
}

/** One to the database itself, for what must happen every few seconds. */
export const workerConnection = (
  endpoint: Endpoint,
  options: ConnectOptions,
  lost: () => void = () => {},
): OwnConnection => new OwnConnection({ connect: () => connectDirectly(endpoint, options), lost })

/** All rows of one statement, under its name where it has one. */
export async function rowsOf<Row>(
  client: pg.Client,
  { text, values, name }: Statement<Row>,
): Promise<Row[]> {
  const query = { text, values: [...values], ...(name ? { name } : {}) }
  return (await client.query<Row & pg.QueryResultRow>(query)).rows
}
