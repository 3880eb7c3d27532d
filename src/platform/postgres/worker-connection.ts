import type pg from 'pg'
import { AppError } from '../../errors.js'
import { connectDirectly, type Endpoint } from './connection.js'
import { translate } from './errors.js'
import type { Statement } from './sql.js'

/**
 * One connection that a background worker keeps for itself, made when first needed and again after
 * it is lost: what must happen every few seconds never waits behind the users of the pool.
 */
export class WorkerConnection {
  readonly #endpoint: Endpoint
  readonly #name: string
  readonly #timeoutMs: number
  #client: Promise<pg.Client> | null = null
  #turns: Promise<unknown> = Promise.resolve()

  constructor(options: {
    readonly endpoint: Endpoint
    /** As PostgreSQL's own views show it. */
    readonly name: string
    /** Longest wait for the answer to one statement, in milliseconds. */
    readonly timeoutMs: number
  }) {
    this.#endpoint = options.endpoint
    this.#name = options.name
    this.#timeoutMs = options.timeoutMs
  }

  /** All rows of one statement, which is a transaction of its own, after those asked for before. */
  many<Row>(statement: Statement<Row>): Promise<Row[]> {
    const turn = this.#turns.then(() => this.#execute(statement))
    this.#turns = turn.catch(() => {})
    return turn
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

  /** Drops the connection; the next statement makes a new one. */
  async close(): Promise<void> {
    if (this.#client) await this.#drop(this.#client)
  }

  async #execute<Row>({ text, values, name }: Statement<Row>): Promise<Row[]> {
    const opening = this.#connected()
    try {
      const client = await opening
      const { rows } = await client.query({ text, values: [...values], ...(name ? { name } : {}) })
      return rows
    } catch (error) {
      // It may be lost, or left inside a transaction that has failed: a new one is neither.
      await this.#drop(opening)
      throw translate(error)
    }
  }

  #connected(): Promise<pg.Client> {
    const options = { name: this.#name, timeoutMs: this.#timeoutMs }
    this.#client ??= connectDirectly(this.#endpoint, options)
    return this.#client
  }

  async #drop(opening: Promise<pg.Client>): Promise<void> {
    if (this.#client === opening) this.#client = null
    await opening.then((client) => client.end()).catch(() => {})
  }
}
