import { sql } from '../sql.js'

/** Code of this database that an expression calls, or that checks, indexes and statistics of tables do. */
export const codeBehind = (
  tables: readonly string[] | null,
  {
    functions,
    operators,
    types,
  }: Readonly<Record<'functions' | 'operators' | 'types', readonly string[]>>,
) => sql<{ name: string }>`
  with code as (
    select oid, proname
    from pg_proc
    where oid >= 16384
      and prolang not in (select oid from pg_language where lanname in ('c', 'internal'))
  ),
  target as (
    select coalesce(indrelid, class.oid) as oid
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = relnamespace
    left join pg_index on indexrelid = class.oid
    where ${tables}::text[] is null
      or concat('"', replace(nspname, '"', '""'), '"."', replace(relname, '"', '""'), '"')
        = any (${(tables ?? []).map(qualified)}::text[])
  )
  select distinct oid::regprocedure::text as name
  from code
  where proname = any (${functions}::text[])
  union
  select entry.oid::regoperator::text
  from pg_operator as entry
  where entry.oid >= 16384
    and oprname = any (${operators}::text[])
    and (oprcode < 16384 or oprcode in (select oid from code))
  union
  select oid::regtype::text
  from pg_type
  where oid >= 16384 and typname = any (${types}::text[]) and typtype in ('d', 'c', 'r', 'm')
  union
  select castfunc::regprocedure::text
  from pg_cast
  where castfunc in (select oid from code) and ${functions.length + operators.length + types.length}::integer > 0
  union
  select code.oid::regprocedure::text
  from pg_depend
  join code on refclassid = 'pg_proc'::regclass and refobjid = code.oid
  where case classid
      when 'pg_attrdef'::regclass then null
      when 'pg_constraint'::regclass then (select conrelid from pg_constraint where oid = objid)
      when 'pg_class'::regclass then (select indrelid from pg_index where indexrelid = objid)
      when 'pg_statistic_ext'::regclass then (select stxrelid from pg_statistic_ext where oid = objid)
    end in (select oid from target)`

/** A name without a schema leads to `public`. */
const qualified = (name: string): string => (name.includes('"."') ? name : `"public".${name}`)
