import { sql } from '../../platform/postgres/sql.js'

/** A table that could be looked after. */
export interface MaintainedTable {
  readonly oid: number
  readonly schema: string
  readonly table: string
  /** What was asked for; null where all were. */
  readonly wanted: string | null
  /** Why nothing can be done with it. */
  readonly obstacle: string | null
}

const mayMaintain = (version: number) =>
  sql.trusted(
    version >= 170_000
      ? `has_table_privilege(class.oid, 'MAINTAIN')`
      : `(pg_has_role(relowner, 'USAGE')
          or exists (select from pg_database where datname = current_database() and pg_has_role(datdba, 'USAGE')))`,
  )

/** The named tables, or all of this database but what PostgreSQL brings; partitions go with their table. */
export const maintainedTables = (
  names: readonly string[] | null,
  path: readonly string[],
  version: number,
) => sql<MaintainedTable>`
  with candidate as (
    select class.oid, nspname, relname, relkind, relowner, relispartition, relpersistence
    from pg_class as class
    join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('r', 'p', 'm') and relpersistence <> 't' and nspname not in ('pg_toast', 'information_schema')
  ),
  wanted (name, oid) as (
    select name, (
      select oid
      from candidate
      where nspname || '.' || relname = name or relname = name and nspname = any (${path}::text[])
      order by nspname || '.' || relname = name desc, array_position(${path}::text[], nspname::text)
      limit 1
    )
    from unnest(${names}::text[]) as name
    union all
    select null, oid
    from candidate
    where ${names}::text[] is null and not relispartition and nspname <> 'pg_catalog'
  )
  select
    coalesce(class.oid, 0)::int8 as oid,
    coalesce(nspname, '')::text as schema,
    coalesce(relname, '')::text as table,
    wanted.name as wanted,
    case
      when class.oid is not null and not ${mayMaintain(version)}
      then format('role %s may not maintain it: it belongs to %s', current_user, relowner::regrole)
    end as obstacle
  from wanted
  left join candidate as class on class.oid = wanted.oid
  order by 2, 3`

/** What can be told of a table before and after. */
export interface TableFigures {
  readonly size_bytes: number
  readonly dead_rows: number
}

/** With its indexes, its long values and its partitions. */
export const tableFigures = (oid: number) => sql<TableFigures>`
  select
    coalesce(sum(pg_total_relation_size(part.oid)), 0)::float8 as size_bytes,
    coalesce(sum(pg_stat_get_dead_tuples(part.oid)), 0)::float8 as dead_rows
  from (
    select ${oid}::int8::oid as oid
    union
    select relid::oid from pg_partition_tree(${oid}::int8::oid::regclass)
  ) as part
  join pg_class on pg_class.oid = part.oid
  where relkind in ('r', 'm')`

/** The schema of the extension that measures free space; null where it is not there or not ours to call. */
export const freeSpaceMeter = () => sql<{ schema: string }>`
  select nspname::text as schema
  from pg_proc
  join pg_namespace on pg_namespace.oid = pronamespace
  where proname = 'pgstattuple_approx' and has_function_privilege(pg_proc.oid, 'EXECUTE')`

/** Room inside the files that new rows can take, of tables up to 10 GB. */
export const reusableBytes = (schema: string, oid: number) => sql<{
  reusable_bytes: number | null
}>`
  select sum(measured.approx_free_space)::float8 as reusable_bytes
  from (
    select ${oid}::int8::oid as oid
    union
    select relid::oid from pg_partition_tree(${oid}::int8::oid::regclass)
  ) as part
  join pg_class on pg_class.oid = part.oid
  cross join lateral ${sql.id(schema)}.pgstattuple_approx(part.oid::regclass) as measured
  where relkind in ('r', 'm') and pg_relation_size(part.oid) < 10737418240`

/** What a REINDEX CONCURRENTLY that failed has left: https://www.postgresql.org/docs/current/sql-reindex.html */
export const leftoverIndexes = (oid: number) => sql<{ schema: string; index: string }>`
  select nspname::text as schema, relname::text as index
  from pg_index
  join pg_class on pg_class.oid = indexrelid
  join pg_namespace on pg_namespace.oid = relnamespace
  where indrelid = ${oid}::int8::oid and not indisvalid and relname ~ '_cc(new|old)[0-9]*$'`

/** Who holds a lock on a table, the longest first. */
export const lockHolders = (oid: number) => sql<{ pid: number }>`
  select distinct pg_locks.pid
  from pg_locks
  where locktype = 'relation' and relation = ${oid}::int8::oid and granted and pg_locks.pid <> pg_backend_pid()
  limit 5`

/** Such as 150018. */
export const serverVersion = () => sql<{ version: number }>`
  select current_setting('server_version_num')::int as version`

/** Waits for a lock no longer than others can bear to queue behind. */
export const waitBriefly = () =>
  sql.trusted(`
  set lock_timeout = '5s';
  set search_path = pg_catalog, public`)
