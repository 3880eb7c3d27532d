import pg from 'pg'
import type { Endpoint } from './connection.js'
import { OwnConnection, rowsOf } from './own-connection.js'
import type { Connected } from './servers.js'
import { beginText, type ConnectionSettings } from './settings.js'
import type { Statement } from './sql.js'
import type { Standing } from './standing.js'

/** Health reads must be answered even when the database is not. */
export const HEALTH_TIMEOUT_MS = 2_000
/** How long a server that is not the primary is looked at before the primary is looked for again. */
const FALLBACK_MS = 1_000

/**
 * One connection outside the pool, made when first needed and again after it is lost, so that what
 * must always answer (health, locks) never waits behind the pool's users. While no primary is to be
 * found it looks at whichever server answers: a standby knows more than nobody. Through a pooler it
 * can look as well, and says that it does.
 */
export class DedicatedConnection {
  readonly #endpoint: Endpoint
  readonly #timeoutMs: number
  readonly #name: string
  readonly #settings: ConnectionSettings
  readonly #own: OwnConnection
  #standing: Standing | null = null

  constructor(options: {
    readonly endpoint: Endpoint
    readonly timeoutMs: number
    /** As PostgreSQL's own views show it. */
    readonly name?: string
    readonly settings?: ConnectionSettings
  }) {
    this.#endpoint = options.endpoint
    this.#timeoutMs = options.timeoutMs
    this.#name = options.name ?? 'catalyst-db health'
    this.#settings = options.settings ?? {}
    this.#own = new OwnConnection({
      connect: async () => {
        const { client, standing } = await this.#connect()
        this.#standing = standing
        return client
      },
    })
  }

  /** What was answered last came through a pooler. */
  get isPooled(): boolean {
    return this.#standing?.is_pooled ?? false
  }

  /** All rows of a read-only statement; fails within the connection's time limit. */
  many<Row>(statement: Statement<Row>): Promise<Row[]> {
    return this.#own.use((client) =>
      this.#standing?.is_pooled
        ? this.#askPooler(client, this.#standing, statement)
        : rowsOf(client, statement),
    )
  }

  /** The first row of a read-only statement that always returns one. */
  async one<Row>(statement: Statement<Row>): Promise<Row> {
    const [row] = await this.many(statement)
    if (row === undefined) throw new Error('a statement that must return a row returned none')
    return row
  }

  /** Drops the connection; the next statement makes a new one. */
  close(): Promise<void> {
    return this.#own.close()
  }

  /** Without parameters in one message, which passes even where no transaction may last longer. */
  async #askPooler<Row>(client: pg.Client, standing: Standing, statement: Statement<Row>) {
    const limits = { readOnly: true, statementTimeoutMs: this.#timeoutMs }
    const begin = beginText(limits, standing)
    const { text, values } = statement
    if (values.length === 0) {
      const results: unknown = await client.query(`${begin}; ${text}; commit`)
      const result = Array.isArray(results) ? results.at(-2) : undefined
      return result instanceof pg.Result ? (result.rows as Row[]) : []
    }
    await client.query(begin)
    // Behind a pooler a prepared statement may be another session's.
    const { rows } = await client.query<Row & pg.QueryResultRow>(text, [...values])
    await client.query('commit')
    return rows
  }

  async #connect(): Promise<Connected> {
    const { servers } = this.#endpoint
    const overrides = { application_name: this.#name, query_timeout: this.#timeoutMs }
    const settings = {
      default_transaction_read_only: 'on',
      statement_timeout: String(this.#timeoutMs),
      ...this.#settings,
    }
    try {
      return await servers.connect(overrides, settings)
    } catch (error) {
      if (!servers.areSeveral) throw error
      const fallback = await servers
        .connectToAny(overrides, settings)
        .catch(() => Promise.reject(error))
      setTimeout(() => void this.close(), FALLBACK_MS).unref()
      return fallback
    }
  }
}
