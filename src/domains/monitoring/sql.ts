import { prepared, machinerySql as sql } from '../../platform/postgres/sql.js'

/** What one look at PostgreSQL tells of its health. */
export interface ServerHealth {
  readonly version: string
  readonly started_at: string
  readonly in_recovery: boolean
  readonly connections: number
  readonly max_connections: number
  readonly replicas: readonly ReplicaLag[]
  readonly job_tables: JobTables
  /** The newest applied migration. */
  readonly schema_version: number | null
}

/** The table of jobs: not there yet, not to be used by this role, or well. */
export type JobTables = 'absent' | 'forbidden' | 'usable'

/** One replica as its primary sees it. */
interface ReplicaLag {
  readonly name: string
  readonly state: string
  readonly lag_seconds: number | null
  readonly lag_bytes: number | string | null
}

/** One backend of this database. */
export interface ConnectionDetail {
  readonly pid: number
  readonly application_name: string
  readonly state: string | null
  readonly wait_event: string | null
  readonly connected_at: string
  readonly transaction_age_ms: number | null
  readonly query_age_ms: number | null
  readonly query: string | null
}

const newestMigration = sql`select max(version)::int from catalyst.schema_migrations`

/** Replicas with their replay lag. Without the right pg_monitor the lags are null. */
const replicas = sql`
  select
    application_name as name,
    coalesce(state, 'unknown') as state,
    extract(epoch from replay_lag)::float8 as lag_seconds,
    case when pg_is_in_recovery() then null
      else pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint
    end as lag_bytes
  from pg_stat_replication`

/** From the catalogs alone, which any role may read. Before the migrations there is no table, which they make. */
const jobTables = sql`
  select
    case
      when j.oid is null then 'absent'
      when has_schema_privilege(s.oid, 'usage')
        and has_table_privilege(j.oid, 'select') and has_table_privilege(j.oid, 'insert')
        and has_table_privilege(j.oid, 'update') and has_table_privilege(j.oid, 'delete')
        then 'usable'
      else 'forbidden'
    end
  from (values ('catalyst')) as wanted (name)
  left join pg_namespace s on s.nspname = wanted.name
  left join pg_class j on j.relnamespace = s.oid and j.relname = 'jobs'`

/**
 * The server itself (version, start, role, how full it is), its replicas and the schema. One
 * statement, for under load every round trip waits for its turn. `isMigrated` says that the ledger
 * of migrations exists, which it does once a server has started on this database.
 */
export const serverHealth = (isMigrated: boolean) =>
  prepared(
    isMigrated ? 'health.migrated' : 'health.bare',
    sql<ServerHealth>`
  select
    current_setting('server_version') as version,
    pg_postmaster_start_time() as started_at,
    pg_is_in_recovery() as in_recovery,
    (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
    current_setting('max_connections')::int as max_connections,
    (select coalesce(json_agg(r order by r.name), '[]') from (${replicas}) as r) as replicas,
    (${jobTables}) as job_tables,
    (${isMigrated ? newestMigration : sql`select null::int`}) as schema_version`,
  )

/** Backends of this database, the longest-running transaction first. */
export const connectionDetails = (limit: number) =>
  prepared(
    'health.connections',
    sql<ConnectionDetail>`
  select
    pid,
    application_name,
    state,
    wait_event_type || ':' || wait_event as wait_event,
    backend_start as connected_at,
    (extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as transaction_age_ms,
    (extract(epoch from clock_timestamp() - query_start) * 1000)::float8 as query_age_ms,
    left(query, 500) as query
  from pg_stat_activity
  where datname = current_database()
    and backend_type = 'client backend'
    and pid <> pg_backend_pid()
  order by xact_start nulls last, pid
  limit ${limit}::int`,
  )

/** What the doctor asks of a server. */
export interface ServerFacts {
  readonly version: string
  readonly encoding: string
  readonly database: string
  readonly role: string
  readonly superuser: boolean
  readonly in_recovery: boolean
  readonly may_create: boolean
  readonly may_monitor: boolean
  readonly schema_present: boolean
  /** It holds something, and no ledger of ours. */
  readonly schema_foreign: boolean
  readonly has_statements: boolean
  /** Null while there are no partitioned tables. */
  readonly missing_partitions: readonly MissingPartition[] | null
  readonly defaults: readonly SessionDefault[]
}

/** A setting that the role or the database gives to each of its sessions. */
export interface SessionDefault {
  readonly name: string
  readonly value: string
  /** Whose it is: `role`, `database`, or of both together. */
  readonly of: string
}

/** A month of market data that has no partition; `ahead` is 0 for the current one. */
interface MissingPartition {
  readonly name: string
  readonly ahead: number
}

/** Objects that depend on the schema, and among them no ledger with our columns. */
const isForeign = () => sql`
  select exists (
    select 1
    from pg_depend
    where refclassid = 'pg_namespace'::regclass and refobjid = s.oid and deptype = 'n'
  ) and not exists (
    select 1
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = s.oid and c.relname = 'schema_migrations' and a.attname = 'up_sha256'
  )
  from (values ('catalyst')) as wanted (name)
  left join pg_namespace s on s.nspname = wanted.name`

/** From the catalogs alone: `to_regclass` wants a right to the schema. */
const missingPartitions = () => sql`
  select
    coalesce(
      jsonb_agg(jsonb_build_object('name', e.name, 'ahead', e.ahead) order by e.ahead, e.name)
        filter (where i.inhrelid is null),
      '[]')
  from pg_class p
  join pg_namespace s on s.oid = p.relnamespace and s.nspname = 'catalyst'
  cross join generate_series(0, 1) as m (ahead)
  cross join lateral (
    select
      m.ahead,
      p.relname || to_char(
        date_trunc('month', now() at time zone 'UTC') + make_interval(months => m.ahead),
        '_YYYYMM') as name
  ) e
  left join pg_class c on c.relnamespace = s.oid and c.relname = e.name
  left join pg_inherits i on i.inhrelid = c.oid and i.inhparent = p.oid
  where p.relname in ('price_bars', 'technical_indicators') and p.relkind = 'p'
  having count(*) > 0`

/** What `alter role … set` and `alter database … set` have left; a connection of ours hides it. */
const sessionDefaults = () => sql`
  select
    coalesce(
      jsonb_agg(
        jsonb_build_object(
          'name', split_part(entry, '=', 1),
          'value', substr(entry, strpos(entry, '=') + 1),
          'of', case
            when setrole <> 0 and setdatabase <> 0 then 'role in this database'
            when setrole <> 0 then 'role'
            when setdatabase <> 0 then 'database'
            else 'all roles'
          end)
        order by entry),
      '[]')
  from pg_db_role_setting
  cross join unnest(setconfig) as entry
  where setdatabase in (0, (select oid from pg_database where datname = current_database()))
    and setrole in (0, (select oid from pg_roles where rolname = session_user))`

/** Version, rights and role of the connection that asks; works for a role without any right. */
export const serverFacts = () => sql<ServerFacts>`
  select
    current_setting('server_version') as version,
    getdatabaseencoding()::text as encoding,
    current_database() as database,
    current_user as role,
    (select rolsuper from pg_roles where rolname = current_user) as superuser,
    pg_is_in_recovery() as in_recovery,
    has_database_privilege(current_database(), 'create') as may_create,
    pg_has_role(current_user, 'pg_monitor', 'usage') as may_monitor,
    to_regnamespace('catalyst') is not null as schema_present,
    (${isForeign()}) as schema_foreign,
    exists (select from pg_settings where name = 'pg_stat_statements.max') as has_statements,
    (${missingPartitions()}) as missing_partitions,
    (${sessionDefaults()}) as defaults`
