import type { DirectSession } from './direct.js'
import { sql } from './sql.js'

/** Where the driver keeps what an error names. */
const FIELDS = { table: 'table', column: 'column', type: 'dataType', constraint: 'constraint' }

/** The objects that an error names, as far as the catalog has them, to be told after its message: what was made up is left out. */
export async function namesOf(error: unknown, session: DirectSession): Promise<string> {
  const fields = Object.entries({ schema: 'schema', ...FIELDS }).flatMap(([kind, field]) => {
    const name: unknown = Reflect.get(Object(error), field)
    return typeof name === 'string' ? [[kind, name]] : []
  })
  if (fields.length === 0) return ''
  const [known] = await session.many(knownNames(Object.fromEntries(fields))).catch(() => [])
  const shown = Object.entries(known ?? {}).flatMap(([kind, name]) =>
    name === null ? [] : [`${kind} ${name.replaceAll(/\p{C}/gu, '?')}`],
  )
  return shown.length === 0 ? '' : `: ${shown.join(', ')}`
}

/** Those of the names that the catalog has, the others null. */
const knownNames = (names: Readonly<Partial<Record<string, string>>>) =>
  sql<Record<keyof typeof FIELDS, string | null>>`
  with named as (
    select class.oid, namespace.oid as namespace, format('%I.%I', nspname, relname) as name
    from pg_namespace as namespace
    left join pg_class as class
      on relnamespace = namespace.oid and relname::text = ${names.table}::text
    where nspname::text = ${names.schema}::text
  )
  select
    (select name from named where oid is not null) as table,
    (
      select attname::text
      from pg_attribute
      where attrelid = (select oid from named) and attname::text = ${names.column}::text
    ) as column,
    (
      select typname::text
      from pg_type
      where typnamespace = (select namespace from named) and typname::text = ${names.type}::text
    ) as type,
    (
      select conname::text
      from pg_constraint
      where connamespace = (select namespace from named) and conname::text = ${names.constraint}::text
      union
      select relname::text
      from pg_class
      where relnamespace = (select namespace from named)
        and relkind = 'i' and relname::text = ${names.constraint}::text
      limit 1
    ) as constraint`
