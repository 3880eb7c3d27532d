import type pg from 'pg'
import { connect, type Endpoint } from './connection.js'
import { translate } from './errors.js'
import type { Statement } from './sql.js'

/** A connection of its own, not through a pooler, for work that holds session state such as locks. */
export class DirectSession {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  /** Connects, runs `work`, and closes, whatever happens. */
  static async use<T>(
    endpoint: Endpoint,
    work: (session: DirectSession) => Promise<T>,
  ): Promise<T> {
    let client: pg.Client
    try {
      client = await connect(endpoint, {
        application_name: 'catalyst-db migrations',
        query_timeout: 0,
      })
    } catch (error) {
      throw translate(error)
    }
    try {
      return await work(new DirectSession(client))
    } finally {
      await client.end().catch(() => {})
    }
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

  /** The command tag of the last statement, such as `COMMIT`. */
  async command(text: string): Promise<string> {
    return (await this.#client.query(text)).command
  }

  /** True when a pooler stands between: session locks would then belong to nobody in particular. */
  async isPooled(): Promise<boolean> {
    const { rows } = await this.#client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return rows[0]?.pid !== Reflect.get(this.#client, 'processID')
  }
}
