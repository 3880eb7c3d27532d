import { AppError } from '../../../errors.js'
import type { Catalog } from '../full/catalog.js'

/** Which tables are restored. */
export interface Selection {
  /** Null: all. */
  readonly tables: readonly string[] | null
  includes(schema: string, name: string): boolean
  /** Of those that hold rows in the full backup. */
  readonly oids: ReadonlySet<number>
}

/** What the log needs to be read, whatever is asked for. */
const NEEDED = ['catalyst', 'schema_migrations'] as const

/**
 * Finds the tables that are asked for: by `schema.name`, or by the name alone where only one has it. A partitioned
 * table stands for its partitions.
 *
 * @throws AppError `not_found` with the name that the backup does not have, `invalid_input` where several have it
 */
export function select(catalog: Catalog, asked: readonly string[] | null): Selection {
  const all = new Set(catalog.tables.map(({ oid }) => oid))
  if (!asked) return { tables: null, includes: () => true, oids: all }
  const names = new Set<string>()
  const oids = new Set<number>()
  for (const name of asked) {
    const found = catalog.tables.filter((table) => isCalled(table, name))
    const schemas = new Set(found.map(({ schema }) => schema))
    if (found.length === 0) throw unknown(name, catalog)
    if (schemas.size > 1 && !name.includes('.')) throw ambiguous(name, schemas)
    for (const table of found) {
      names.add(key(table.schema, table.name))
      oids.add(table.oid)
      for (const parent of table.parents) names.add(parent)
    }
  }
  return {
    tables: [...names],
    includes: (schema, name) => names.has(key(schema, name)) || names.has(quoted(schema, name)),
    oids,
  }
}

/** Whether a table is one that tells how to read the log. */
export const isNeeded = (schema: string, name: string): boolean =>
  schema === NEEDED[0] && name === NEEDED[1]

type Table = Catalog['tables'][number]

function isCalled({ schema, name, parents }: Table, asked: string): boolean {
  if (name === asked || key(schema, name) === asked) return true
  return parents.some((parent) => parent === asked || parent.endsWith(`.${asked}`))
}

const key = (schema: string, name: string): string => `${schema}.${name}`

const quoted = (schema: string, name: string): string =>
  [schema, name]
    .map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
    .join('.')

const unknown = (name: string, catalog: Catalog): AppError => {
  const some = catalog.tables.slice(0, 20).map((table) => key(table.schema, table.name))
  return new AppError('not_found', `The backup has no table ${JSON.stringify(name)}.`, {
    hint: `It has ${catalog.tables.length}, such as ${some.join(', ')}.`,
  })
}

const ambiguous = (name: string, schemas: ReadonlySet<string>): AppError =>
  new AppError('invalid_input', `Several schemas have a table ${JSON.stringify(name)}.`, {
    hint: `Name it with its schema: ${[...schemas].map((schema) => key(schema, name)).join(', ')}.`,
  })
