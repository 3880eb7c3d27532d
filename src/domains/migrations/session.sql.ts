import { sql } from '../../platform/postgres/sql.js'

/** The runners' advisory lock: a class of ours, so that no other use of advisory locks meets it. */
const LOCK_CLASS = 1_127_429_203
const RUNNER_LOCK = 1

/** Takes the runners' lock if it is free. Never the blocking form: CREATE INDEX CONCURRENTLY would deadlock with a waiter. */
export const tryLock = () => sql<{ locked: boolean }>`
  select pg_try_advisory_lock(${LOCK_CLASS}::integer, ${RUNNER_LOCK}::integer) as locked`

/** Gives the runners' lock back. */
export const unlock = () => sql`
  select pg_advisory_unlock(${LOCK_CLASS}::integer, ${RUNNER_LOCK}::integer)`

/** Who holds the runners' lock now, and whether it is this session. */
export const lockHolder = () => sql<{ pid: number; application_name: string; is_own: boolean }>`
  select activity.pid, activity.application_name, activity.pid = pg_backend_pid() as is_own
  from pg_locks as held
  join pg_stat_activity as activity using (pid)
  where held.locktype = 'advisory'
    and held.granted
    and held.database = (select oid from pg_database where datname = current_database())
    and held.classid = ${LOCK_CLASS}::oid
    and held.objid = ${RUNNER_LOCK}::oid
    and held.objsubid = 2`

/**
 * Prepares a session for a script. A runner that dies is noticed during its statement, where the kernel
 * of the server can tell, so that the next one need not wait.
 */
export const prepareSession = () => sql<{ wal_level: string }>`
  select
    current_setting('wal_level') as wal_level,
    case when version() ~ '(linux|darwin|bsd)'
      then set_config('client_connection_check_interval', '2s', false)
    end as noticed`

/** Marks a schema change in the log that backups read, in the transaction of the change. */
export const emitSchemaChange = (content: string) => sql`
  select pg_logical_emit_message(true, 'cdb.ddl', ${content}::text)`

/** Whom a session waits for. */
export const blockersOf = (pid: number | null) => sql<Blocker>`
  select
    pid,
    application_name,
    extract(epoch from clock_timestamp() - xact_start)::integer as transaction_seconds
  from pg_stat_activity
  where pid = any(pg_blocking_pids(${pid}::integer))
  order by xact_start
  limit 3`

/** A session that holds what another waits for. */
export interface Blocker {
  readonly pid: number
  readonly application_name: string
  readonly transaction_seconds: number | null
}

/** Relations as they are before a script runs: their names, and which storage they have. */
export const listRelations = () => sql<Relation>`
  select
    class.oid::text as oid,
    format('%s.%s', namespace.nspname, class.relname) as relation,
    class.relkind in ('r', 'm') as is_table,
    class.relfilenode::text as storage
  from pg_class as class
  join pg_namespace as namespace on namespace.oid = class.relnamespace
  where namespace.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`

/** A relation as the catalog has it. */
export interface Relation {
  readonly oid: string
  readonly relation: string
  readonly is_table: boolean
  readonly storage: string
}

/** A lock on a relation, with the storage that this has now. */
export interface OwnLock {
  readonly oid: string
  readonly mode: string
  readonly storage: string | null
}

/** The locks on relations that this session holds now. */
export const listOwnLocks = () => sql<OwnLock>`
  select
    held.relation::text as oid,
    held.mode,
    class.relfilenode::text as storage
  from pg_locks as held
  left join pg_class as class on class.oid = held.relation
  where held.pid = pg_backend_pid()
    and held.locktype = 'relation'
    and held.granted
  order by held.relation, held.mode`

/** The state of an index; none of the table's of that name is no row. */
export const findIndex = (table: string, index: string) => sql<IndexState>`
  select
    entry.indisvalid as is_valid,
    format('%I.%I', namespace.nspname, class.relname) as name,
    exists (
      select 1
      from pg_stat_progress_create_index as progress
      where progress.index_relid = entry.indexrelid
    ) as is_being_built
  from pg_index as entry
  join pg_class as class on class.oid = entry.indexrelid
  join pg_namespace as namespace on namespace.oid = class.relnamespace
  where entry.indrelid = to_regclass(${table}::text)
    and class.relname = ${index}::name`

/** What the catalog says of one index. */
export interface IndexState {
  readonly is_valid: boolean
  /** Quoted where that is needed. */
  readonly name: string
  readonly is_being_built: boolean
}

/** Indexes that an interrupted REINDEX CONCURRENTLY left beside the real ones. */
export const listReindexLeftovers = (relation: string | null) => sql<{ name: string }>`
  select format('%I.%I', namespace.nspname, class.relname) as name
  from pg_index as entry
  join pg_class as class on class.oid = entry.indexrelid
  join pg_namespace as namespace on namespace.oid = class.relnamespace
  where not entry.indisvalid
    and class.relname ~ '_cc(new|old)[0-9]*$'
    and entry.indrelid in (
      select to_regclass(${relation}::text)
      union all
      select indrelid from pg_index where indexrelid = to_regclass(${relation}::text)
    )`

/** True when there is a relation of that name. */
export const hasRelation = (name: string) => sql<{ present: boolean }>`
  select to_regclass(${name}::text) is not null as present`

/** Whether a partition is attached, and whether its detaching was begun. */
export const findPartition = (parent: string, partition: string) => sql<{ is_pending: boolean }>`
  select inhdetachpending as is_pending
  from pg_inherits
  where inhparent = to_regclass(${parent}::text)
    and inhrelid = to_regclass(${partition}::text)`

/** Rows and bytes of tables, for the linter: what is small may be locked. Of an index, its table's. */
export const listTableSizes = (relations: readonly { schema: string; name: string }[]) =>
  sql<TableSize>`
  select
    named.schema,
    named.name,
    greatest(measured.reltuples, 0)::float8 as rows,
    pg_total_relation_size(measured.oid)::float8 as bytes,
    array(
      select jsonb_build_object('name', conname, 'column', attname, 'is_valid', convalidated)
      from pg_constraint
      join pg_attribute on attrelid = conrelid and attnum = conkey[1]
      where conrelid = measured.oid
        and contype = 'c'
        and pg_get_constraintdef(pg_constraint.oid)
          in (format('CHECK ((%I IS NOT NULL))', attname),
              format('CHECK ((%I IS NOT NULL)) NOT VALID', attname))
    ) as not_null_checks
  from jsonb_to_recordset(${JSON.stringify(relations)}::jsonb) as named (schema text, name text)
  join pg_namespace as namespace on namespace.nspname = named.schema
  join pg_class as class on class.relnamespace = namespace.oid and class.relname = named.name
  left join pg_index as entry on entry.indexrelid = class.oid
  join pg_class as measured on measured.oid = coalesce(entry.indrelid, class.oid)`

/** How large a table is, as its statistics say. */
export interface TableSize {
  readonly schema: string
  readonly name: string
  readonly rows: number
  readonly bytes: number
  readonly not_null_checks: readonly {
    readonly name: string
    readonly column: string
    readonly is_valid: boolean
  }[]
}

/** The id of the open transaction. */
export const currentTransaction = () => sql<{ transaction_id: string }>`
  select pg_current_xact_id()::text as transaction_id`

/** What an error names. */
export interface ErrorNames {
  readonly schema: string | null
  readonly table: string | null
  readonly column: string | null
  readonly type: string | null
  readonly constraint: string | null
}

/** Those of the names that the catalog has, the others null. */
export const knownNames = ({ schema, table, column, type, constraint }: ErrorNames) =>
  sql<Omit<ErrorNames, 'schema'>>`
  with named as (
    select class.oid, namespace.oid as namespace, format('%I.%I', nspname, relname) as name
    from pg_namespace as namespace
    left join pg_class as class
      on relnamespace = namespace.oid and relname::text = ${table}::text
    where nspname::text = ${schema}::text
  )
  select
    (select name from named where oid is not null) as table,
    (
      select attname::text
      from pg_attribute
      where attrelid = (select oid from named) and attname::text = ${column}::text
    ) as column,
    (
      select typname::text
      from pg_type
      where typnamespace = (select namespace from named) and typname::text = ${type}::text
    ) as type,
    (
      select conname::text
      from pg_constraint
      where connamespace = (select namespace from named) and conname::text = ${constraint}::text
      union
      select relname::text
      from pg_class
      where relnamespace = (select namespace from named)
        and relkind = 'i' and relname::text = ${constraint}::text
      limit 1
    ) as constraint`
