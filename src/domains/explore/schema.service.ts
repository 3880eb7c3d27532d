import { AppError } from '../../errors.js'
import type { Database } from '../../platform/postgres/database.js'
import { SECRETS } from '../../platform/postgres/reader/reader.sql.js'
import { tableDetail, tableOutlines } from './schema.sql.js'

/** About 2 000 tokens: a model reads it before it knows what it needs. */
const MAX_BYTES = 7_000

/** Where tables without a schema are looked for. */
export const PATH = ['public', 'catalyst']

/** Which tables there are, and what they look like. */
export class SchemaReader {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * All tables in a few words, or one as a whole.
   *
   * @throws AppError `not_found`
   */
  async read(table: string | undefined) {
    if (table !== undefined) {
      const found = await this.#database.maybeOne(tableDetail(table, PATH, SECRETS))
      if (found) return found
      throw new AppError('not_found', 'There is no such table or view, or it is not for queries.', {
        hint: 'Read catalyst://db/schema for their names, as in catalyst.news_articles.',
      })
    }
    const all = await this.#database.many(tableOutlines(SECRETS))
    let left = MAX_BYTES
    const tables = all.filter((outline) => {
      left -= Buffer.byteLength(JSON.stringify(outline)) + 1
      return left > 0
    })
    return { tables, not_listed: all.length - tables.length }
  }
}
