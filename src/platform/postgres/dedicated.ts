import pg from 'pg'
import type { Endpoint } from './connection.js'
import { translate } from './errors.js'
import type { Connected } from './servers.js'
import { beginText } from './settings.js'
import type { Statement } from './sql.js'

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
  #connected: Promise<Connected> | null = null
  #isPooled = false

  constructor(options: { readonly endpoint: Endpoint; readonly timeoutMs: number }) {
    this.#endpoint = options.endpoint
    this.#timeoutMs = options.timeoutMs
  }

  /** What was answered last came through a pooler. */
  get isPooled(): boolean {
    return this.#isPooled
  }

  /** All rows of a read-only statement; fails within the connection's time limit. */
  async many<Row>(statement: Statement<Row>): Promise<Row[]> {
    try {
      const connected = await this.#open()
      this.#isPooled = connected.standing.is_pooled
      return await (this.#isPooled
        ? this.#askPooler(connected, statement)
        : ask(connected.client, statement, statement.name))
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
    const connected = this.#connected
    this.#connected = null
    await connected?.then(({ client }) => client.end()).catch(() => {})
  }

  /** Without parameters in one message, which passes even where no transaction may last longer. */
  async #askPooler<Row>({ client, standing }: Connected, statement: Statement<Row>) {
    const limits = { readOnly: true, statementTimeoutMs: this.#timeoutMs }
    const begin = beginText(limits, standing)
    if (statement.values.length === 0) {
      const results: unknown = await client.query(`${begin}; ${statement.text}; commit`)
      const result = Array.isArray(results) ? results.at(-2) : undefined
      return result instanceof pg.Result ? (result.rows as Row[]) : []
    }
    await client.query(begin)
    const rows = await ask(client, statement)
    await client.query('commit')
    return rows
  }

  #open(): Promise<Connected> {
    if (!this.#connected) {
      const opening = this.#connect()
      this.#connected = opening
      opening.then(
        ({ client }) => {
          client.on('error', () => void this.close())
          client.on('end', () => this.#forget(opening))
        },
        () => this.#forget(opening),
      )
    }
    return this.#connected
  }

  #forget(opening: Promise<Connected>): void {
    if (this.#connected === opening) this.#connected = null
  }

  async #connect(): Promise<Connected> {
    const { servers } = this.#endpoint
    const overrides = { application_name: 'catalyst-db health', query_timeout: this.#timeoutMs }
    const settings = {
      default_transaction_read_only: 'on',
      statement_timeout: String(this.#timeoutMs),
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

async function ask<Row>(
  client: pg.Client,
  { text, values }: Statement<Row>,
  name?: string,
): Promise<Row[]> {
  const named = name === undefined ? {} : { name }
  return (await client.query<Row & pg.QueryResultRow>({ text, values: [...values], ...named })).rows
}
