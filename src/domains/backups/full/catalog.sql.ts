import { sql } from '../../../platform/postgres/sql.js'

/** A table whose rows a full backup holds. */
export interface TableRow {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** Without generated ones: those are computed anew. */
  readonly columns: readonly string[]
  readonly bytes: number
  readonly pages: number
  /** Every value of every column means the same on another server in COPY's binary format. */
  readonly is_binary: boolean
  readonly is_unlogged: boolean
  /** The log tells its rows apart. */
  readonly has_identity: boolean
  /** The partitioned tables above it, as `schema.name` quoted. */
  readonly parents: readonly string[]
}

/** A sequence as it stands; its value is null before the first one. */
export interface SequenceRow {
  readonly schema: string
  readonly name: string
  readonly last_value: string | null
  readonly increment_by: string
  readonly min_value: string
  readonly max_value: string
  /** `schema.name` as PostgreSQL quotes it. */
  readonly quoted: string
  /** The column that is filled from it, if it holds whole numbers. */
  readonly owner: {
    readonly schema: string
    readonly table: string
    readonly column: string
  } | null
}

/** What a backup is told about the whole database. */
export interface FactsRow {
  readonly large_objects: number
  readonly foreign_tables: number
  readonly prepared_transactions: number
  readonly extensions: readonly string[]
  readonly roles: readonly string[]
  readonly bytes: number
}

/** Everybody's objects, not those of PostgreSQL, of a session, or of an extension. */
const OWN_RELATION = sql.trusted(`
  n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
  and n.nspname !~ '^pg_(temp|toast_temp)_'
  and not exists (
    select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')`)

/**
 * Types with oids in their values (names of objects, and whatever has the oid of its elements inside) mean
 * something else on another server; some have no binary form at all. Those go as text.
 */
const IS_BINARY = sql.trusted(`
  case
    when b.typtype = 'e' then true
    when b.typtype <> 'b' and b.typtype <> 'r' then false
    else b.oid < 16384 and b.typreceive <> 0 and b.typsend <> 0
      and (e.oid is null or (e.oid < 16384 and e.typreceive <> 0 and e.typtype = 'b'))
      and coalesce(e.typname, b.typname) !~ '^(reg|pg_(?!lsn)|gtsvector|aclitem|refcursor)'
  end`)

/** The tables that hold rows, the biggest first. */
export const tablesToCopy = () => sql<TableRow>`
  select
    c.oid::int8 as oid,
    n.nspname as schema,
    c.relname as name,
    array(
      select a.attname::text
      from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      order by a.attnum
    ) as columns,
    pg_table_size(c.oid) as bytes,
    (pg_relation_size(c.oid) / current_setting('block_size')::int)::int as pages,
    not exists (
      select
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
      left join pg_type e on e.oid = b.typelem and b.typlen = -1 and b.typelem <> 0
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        and not (${IS_BINARY})
    ) as is_binary,
    c.relpersistence = 'u' as is_unlogged,
    c.relreplident = 'f' or exists (
      select from pg_index i
      where i.indrelid = c.oid
        and ((c.relreplident = 'd' and i.indisprimary) or (c.relreplident = 'i' and i.indisreplident))
    ) as has_identity,
    array(
      select format('%I.%I', pn.nspname, p.relname)
      from pg_partition_ancestors(c.oid) as up (oid)
      join pg_class p on p.oid = up.oid
      join pg_namespace pn on pn.oid = p.relnamespace
      where up.oid <> c.oid
    ) as parents
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence <> 't' and ${OWN_RELATION}
  order by pg_table_size(c.oid) desc, c.oid`

/** Tables that were emptied or written anew since the snapshot: it sees nothing of what they held. */
export const movedTables = () => sql<{ tables: number }>`
  select count(*)::int as tables
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence <> 't' and ${OWN_RELATION}
    and c.relfilenode is distinct from pg_relation_filenode(c.oid)`

/** All sequences as they are now, whatever transaction asks. */
export const sequences = () => sql<SequenceRow>`
  select
    n.nspname as schema,
    c.relname as name,
    pg_sequence_last_value(c.oid)::text as last_value,
    s.seqincrement::text as increment_by,
    s.seqmin::text as min_value,
    s.seqmax::text as max_value,
    format('%I.%I', n.nspname, c.relname) as quoted,
    (
      select json_build_object('schema', tn.nspname, 'table', t.relname, 'column', a.attname)
      from pg_depend d
      join pg_class t on t.oid = d.refobjid
      join pg_namespace tn on tn.oid = t.relnamespace
      join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
      join pg_type y on y.oid = a.atttypid
      where coalesce(nullif(y.typbasetype, 0), y.oid) = any ('{int2,int4,int8,numeric}'::regtype[])
        and d.classid = 'pg_class'::regclass and d.objid = c.oid
        and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
      limit 1
    ) as owner
  from pg_sequence s
  join pg_class c on c.oid = s.seqrelid
  join pg_namespace n on n.oid = c.relnamespace
  where c.relpersistence <> 't' and ${OWN_RELATION}
  order by 1, 2`

/** What is there besides, some of which no backup of this kind holds. */
export const facts = () => sql<FactsRow>`
  select
    (select count(*) from pg_largeobject_metadata)::int as large_objects,
    (select count(*) from pg_class where relkind = 'f')::int as foreign_tables,
    (select count(*) from pg_prepared_xacts where database = current_database())::int
      as prepared_transactions,
    array(select extname::text from pg_extension where extname <> 'plpgsql' order by 1) as extensions,
    array(
      select distinct pg_get_userbyid(d.refobjid)::text
      from pg_shdepend d
      where d.refclassid = 'pg_authid'::regclass
        and d.dbid = (select oid from pg_database where datname = current_database())
      order by 1
    ) as roles,
    pg_database_size(current_database()) as bytes`

/** Keeps the tables there, as pg_dump does. */
export const lockForReading = (
  tables: readonly Pick<TableRow, 'schema' | 'name'>[],
  atOnce: boolean,
) => {
  const [first, ...others] = tables.map(
    ({ schema, name }) => sql`${sql.id(schema)}.${sql.id(name)}`,
  )
  const list = others.reduce((all, one) => sql`${all}, ${one}`, first ?? sql``)
  const patience = sql.trusted(atOnce ? 'nowait' : '')
  return sql<never>`lock table ${list} in access share mode ${patience}`
}

/** The statement that hands out the rows of a table, or of a range of its pages. */
export function copyOf(
  { schema, name, columns, is_binary }: TableRow,
  pages: { readonly from: number; readonly to: number | null } | null,
) {
  const [first, ...others] = columns.map((column) => sql`${sql.id(column)}`)
  const table = sql`${sql.id(schema)}.${sql.id(name)}`
  const format = sql.trusted(`(format ${is_binary ? 'binary' : 'text'})`)
  // Rows may be there although nothing is in them.
  if (!first) return sql<never>`copy ${table} to stdout ${format}`
  const list = others.reduce((all, one) => sql`${all}, ${one}`, first)
  if (!pages) return sql<never>`copy ${table} (${list}) to stdout ${format}`
  const from = sql.trusted(`ctid >= '(${Math.trunc(pages.from)},0)'`)
  const to = sql.trusted(pages.to === null ? '' : `and ctid < '(${Math.trunc(pages.to)},0)'`)
  return sql<never>`copy (select ${list} from only ${table} where ${from} ${to}) to stdout ${format}`
}
