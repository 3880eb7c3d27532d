import type pg from 'pg'
import type { Endpoint } from './connection.js'
import { translate } from './errors.js'
import type { Statement } from './sql.js'

/** How long a server that is not the primary is looked at before the primary is looked for again. */
const FALLBACK_MS = 1_000

/**
 * One connection outside the pool, made when first needed and again after it is lost, so that what
 * must always answer (health, locks) never waits behind the pool's users. While no primary is to be
 * found it looks at whichever server answers: a standby knows more than nobody.
 */
export class DedicatedConnection {
  readonly #endpoint: Endpoint
  readonly #timeoutMs: number
  #client: Promise<pg.Client> | null = null

  constructor(options: { readonly endpoint: Endpoint; readonly timeoutMs: number }) {
    this.#endpoint = options.endpoint
    this.#timeoutMs = options.timeoutMs
  }

  /** All rows of a read-only statement; fails within the connection's time limit. */
  async many<Row>(statement: Statement<Row>): Promise<Row[]> {
    try {
      const client = await this.#connected()
      const { text, values, name } = statement
      const result = await client.query<Row & pg.QueryResultRow>({
        text,
        values: [...values],
        ...(name === undefined ? {} : { name }),
      })
      return result.rows
    } catch (error) {
      await this.close()
      throw translate(error)
    }
  }

  /** The first row of a read-only statement that always returns one. */
  async one<Row>(statement: Statement<Row>): Promise<Row> {
    const [row] = await this.many(statement)
    if (row === undefined) throw new Error('a statement that must return a row returned none')
    return row
  }

  /** Drops the connection; the next statement makes a new one. */
  async close(): Promise<void> {
    const client = this.#client
    this.#client = null
    await client?.then((connected) => connected.end()).catch(() => {})
  }

  #connected(): Promise<pg.Client> {
    if (!this.#client) {
      const opening = this.#open()
      this.#client = opening
      opening.catch(() => {
        if (this.#client === opening) this.#client = null
      })
    }
    return this.#client
  }

  async #open(): Promise<pg.Client> {
    const client = await this.#connect()
    client.on('error', () => void this.close())
    client.on('end', () => {
      this.#client = null
    })
    await client.query(
      `set datestyle = 'ISO'; set timezone = 'UTC';
       set default_transaction_read_only = on; set statement_timeout = ${this.#timeoutMs}`,
    )
    return client
  }

  async #connect(): Promise<pg.Client> {
    const { servers } = this.#endpoint
    const overrides = { application_name: 'catalyst-db health', query_timeout: this.#timeoutMs }
    try {
      return await servers.connect(overrides)
    } catch (error) {
      if (!servers.areSeveral) throw error
      const fallback = await servers.connectToAny(overrides).catch(() => Promise.reject(error))
      setTimeout(() => void this.close(), FALLBACK_MS).unref()
      return fallback
    }
  }
}
