import { type Statement, sql } from '../../../platform/postgres/sql.js'
import type { Catalog } from '../full/catalog.js'

/** Takes the rows of a table as a full backup holds them. */
export function loadInto(
  { schema, name, columns }: Catalog['tables'][number],
  format: 'binary' | 'text',
): Statement<never> {
  const table = sql`${sql.id(schema)}.${sql.id(name)}`
  const how = sql.trusted(`(format ${format === 'binary' ? 'binary' : 'text'})`)
  const [first, ...others] = columns.map((column) => sql`${sql.id(column)}`)
  if (!first) return sql<never>`copy ${table} from stdin ${how}`
  const list = others.reduce((all, one) => sql`${all}, ${one}`, first)
  return sql<never>`copy ${table} (${list}) from stdin ${how}`
}
