import { sql } from '../../../platform/postgres/sql.js'
import type { SequenceRow } from '../full/catalog.sql.js'

/** Sets a sequence so far that it gives out no value again. */
export const setSequence = ({ schema, name }: SequenceRow, value: string) => sql<never>`
  select setval(format('%I.%I', ${schema}::text, ${name}::text)::regclass, ${value}::int8)`

/** The value of a column that is furthest in the direction of its sequence, of those that this can give out. */
export const furthest = ({ owner, increment_by, min_value, max_value }: SequenceRow) => {
  const { schema = '', table = '', column = '' } = owner ?? {}
  const end = sql.trusted(increment_by.startsWith('-') ? 'min' : 'max')
  return sql<{ value: string | null }>`
    select ${end}(${sql.id(column)})::int8::text as value
    from ${sql.id(schema)}.${sql.id(table)}
    where ${sql.id(column)} between ${min_value}::int8 and ${max_value}::int8`
}

/** Views that keep rows, those that others read first. */
export const materializedViews = () => sql<{ schema: string; name: string }>`
  select n.nspname as schema, c.relname as name
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'm' and not c.relispopulated
  order by c.oid`

/** Computes the rows of one of them. */
export const refresh = ({ schema, name }: { readonly schema: string; readonly name: string }) =>
  sql<never>`refresh materialized view ${sql.id(schema)}.${sql.id(name)}`

/** Every table of everybody. */
export const tableNames = () => sql<{ schema: string; name: string; is_partitioned: boolean }>`
  select n.nspname as schema, c.relname as name, c.relkind = 'p' as is_partitioned
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and c.relpersistence <> 't'
    and n.nspname not in ('pg_catalog', 'information_schema', 'cdb_meta')
    and n.nspname !~ '^pg_'
    and not exists (
      select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  order by 1, 2`

/** Drops a table with what needs it. */
export const dropTable = ({ schema, name }: { readonly schema: string; readonly name: string }) =>
  sql<never>`drop table if exists ${sql.id(schema)}.${sql.id(name)} cascade`
