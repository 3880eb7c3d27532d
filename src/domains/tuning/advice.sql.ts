import { sql } from '../../platform/postgres/sql.js'

/** An index that is there. */
interface KnownIndex {
  readonly name: string
  readonly is_unique: boolean
  /** It has no expression and no WHERE. */
  readonly is_plain: boolean
  readonly columns: readonly string[]
}

/** What advice about a table needs. */
export interface TableDetails {
  readonly schema: string
  readonly name: string
  readonly rows: number
  readonly pages: number
  readonly stale_share: number | null
  readonly inserted: number
  readonly updated: number
  readonly indexes: readonly KnownIndex[]
  readonly columns: readonly {
    readonly name: string
    readonly width: number
    /** Different values; null where nothing is known. */
    readonly distinct: number | null
    readonly null_share: number
  }[]
}

/** Tables of a plan with their statistics, as far as the reader may see them. */
export const tableDetails = (
  names: readonly { schema: string; name: string }[],
) => sql<TableDetails>`
  select
    nspname::text as schema,
    class.relname::text as name,
    greatest(class.reltuples, 0)::float8 as rows,
    class.relpages::float8 as pages,
    case
      when used.last_analyze is null and used.last_autoanalyze is null and class.reltuples < 0 then null
      else coalesce(used.n_mod_since_analyze, 0)::float8 / greatest(used.n_live_tup, 1)
    end as stale_share,
    coalesce(used.n_tup_ins, 0)::float8 as inserted,
    coalesce(used.n_tup_upd, 0)::float8 as updated,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', index.relname,
        'is_unique', indisunique,
        'is_plain', indexprs is null and indpred is null,
        'columns', (
          select coalesce(jsonb_agg(attname order by position), '[]')
          from unnest(indkey) with ordinality as key (attnum, position)
          join pg_attribute on attrelid = indrelid and pg_attribute.attnum = key.attnum
          where position <= indnkeyatts
        )
      )), '[]')
      from pg_index
      join pg_class as index on index.oid = indexrelid
      where indrelid = class.oid and indisvalid
    ) as indexes,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', pg_attribute.attname,
        'width', coalesce(avg_width, 16),
        'distinct', case when n_distinct < 0 then -n_distinct * greatest(class.reltuples, 0) else n_distinct end,
        'null_share', coalesce(null_frac, 0)
      )), '[]')
      from pg_attribute
      left join pg_stats
        on pg_stats.schemaname = nspname and pg_stats.tablename = class.relname
        and pg_stats.attname = pg_attribute.attname and not inherited
      where attrelid = class.oid and attnum > 0 and not attisdropped
    ) as columns
  from jsonb_to_recordset(${JSON.stringify(names)}::jsonb) as wanted (schema name, name name)
  join pg_namespace on nspname = wanted.schema
  join pg_class as class on class.relnamespace = pg_namespace.oid and class.relname = wanted.name
  left join pg_stat_all_tables as used on used.relid = class.oid`

/** The schema of hypopg, which plans with indexes that are not there; nothing where it is not installed. */
export const hypopgSchema = () => sql<{ schema: string }>`
  select nspname::text as schema
  from pg_extension
  join pg_namespace on pg_namespace.oid = extnamespace
  where extname = 'hypopg'`

/** Makes an index that only plans know. */
export const imagine = (schema: string, createSql: string) => sql<{
  id: number
  name: string
  bytes: number
}>`
  select
    indexrelid::int8 as id,
    indexname as name,
    ${sql.id(schema)}.hypopg_relation_size(indexrelid)::float8 as bytes
  from ${sql.id(schema)}.hypopg_create_index(${createSql})`

/** Forgets it. */
export const forget = (schema: string, id: number) => sql`
  select ${sql.id(schema)}.hypopg_drop_index(${id}::int8::oid)`
