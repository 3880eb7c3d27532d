import { machinery, prepared, sql } from '../../platform/postgres/sql.js'

/** A session as far as it may be in the way. */
export interface Session {
  readonly pid: number
  readonly application_name: string
  readonly role: string | null
  readonly state: string | null
  readonly wait_event: string | null
  readonly transaction_seconds: number | null
  readonly state_seconds: number | null
  readonly query_seconds: number | null
  /** Transactions begun since the oldest that it still has to see. */
  readonly xmin_age: number | null
  readonly backend_type: string
  readonly holds_row_locks: boolean
  readonly query: string | null
}

/** A replication slot. */
interface Slot {
  readonly name: string
  readonly type: string
  readonly active: boolean
  readonly wal_status: string | null
  readonly retained_bytes: number | null
  readonly xmin_age: number | null
  readonly temporary: boolean
}

/** One replica, as its primary sees it. */
interface Replica {
  readonly name: string
  readonly state: string | null
  readonly lag_seconds: number | null
  readonly lag_bytes: number | null
  readonly xmin_age: number | null
}

/** One look at what changes from second to second. Counters are since `stats_reset`, or since the start. */
export interface Pulse {
  /** By the clock of the server, in milliseconds. */
  readonly at_ms: number
  readonly started_at: string
  readonly version_num: number
  readonly version: string
  readonly in_recovery: boolean
  readonly stats_reset: string
  readonly commits: number
  readonly rollbacks: number
  readonly blocks_hit: number
  readonly blocks_read: number
  readonly temp_files: number
  readonly temp_bytes: number
  readonly deadlocks: number
  /** Null where the cluster has no checksums. */
  readonly checksum_failures: number | null
  readonly checksum_failed_at: string | null
  readonly wal_position: number | null
  readonly checkpoints_requested: number
  readonly may_see_all: boolean
  readonly role: string
  readonly database: string
  readonly connections: number
  readonly max_connections: number
  readonly reserved_connections: number
  readonly by_application: readonly {
    readonly application_name: string
    readonly connections: number
    readonly idle: number
    readonly idle_in_transaction: number
  }[]
  readonly sessions: readonly Session[]
  readonly blocked: number
  readonly longest_wait_seconds: number | null
  readonly prepared: readonly {
    readonly gid: string
    readonly database: string
    readonly owner: string
    readonly age_seconds: number
    readonly xmin_age: number
  }[]
  readonly replicas: readonly Replica[]
  readonly slots: readonly Slot[]
  readonly archiver: {
    readonly mode: string
    readonly failed: number
    readonly archived: number
    readonly last_failed_at: string | null
    readonly last_archived_at: string | null
    readonly last_failed_wal: string | null
    readonly is_failing: boolean
  }
  readonly settings: Readonly<Record<string, string | null>>
  readonly xid_age: number
  readonly xid_database: string
  readonly multixact_age: number
  /** Schema of the extension; null where it is not installed. */
  readonly statements_schema: string | null
  readonly statements_loaded: boolean
  readonly tuple_schema: string | null
  readonly wal_waits: number
}

/** Since PostgreSQL 17 checkpoints have a view of their own. */
const checkpointsRequested = (version: number) =>
  version >= 170_000
    ? sql`select num_requested from pg_stat_checkpointer`
    : sql`select checkpoints_req from pg_stat_bgwriter`

/** What pg_stat_activity, the slots and a few others know of who may be in the way; twenty of each at most. */
const sessions = () => sql`
  select
    pid, application_name, usename as role, state,
    wait_event_type || ':' || wait_event as wait_event,
    extract(epoch from clock_timestamp() - xact_start)::float8 as transaction_seconds,
    extract(epoch from clock_timestamp() - state_change)::float8 as state_seconds,
    extract(epoch from clock_timestamp() - query_start)::float8 as query_seconds,
    age(backend_xmin) as xmin_age,
    backend_type,
    exists (
      select from pg_locks l
      where l.pid = a.pid and l.granted and l.locktype = 'relation'
        and l.mode not in ('AccessShareLock', 'SIReadLock')
    ) as holds_row_locks,
    left(query, 300) as query
  from pg_stat_activity a
  where datname = current_database()
    and pid <> pg_backend_pid()
    and xact_start is not null
    and backend_type in ('client backend', 'parallel worker', 'walsender', 'logical replication worker')
  order by xact_start
  limit 20`

/** Of sessions of this database: what others wait for is theirs. */
const waits = () => sql`
  select l.pid, l.waitstart
  from pg_locks l
  join pg_stat_activity a on a.pid = l.pid and a.datname = current_database()
  where not l.granted`

const reserved = () => sql`
  current_setting('superuser_reserved_connections')::int
    + coalesce(current_setting('reserved_connections', true), '0')::int`

const lsn = () => sql`
  case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end`

/**
 * Everything of one look in one statement: sampling must not cost more than a round trip. It names no
 * table, and needs no right.
 */
export const pulse = (version: number) =>
  prepared(
    `monitoring.pulse.${version >= 170_000 ? 17 : 14}`,
    machinery(sql<Pulse>`
  select
    extract(epoch from clock_timestamp())::float8 * 1000 as at_ms,
    pg_postmaster_start_time() as started_at,
    current_setting('server_version_num')::int as version_num,
    current_setting('server_version') as version,
    pg_is_in_recovery() as in_recovery,
    coalesce(d.stats_reset::text, '') as stats_reset,
    d.xact_commit::float8 as commits,
    d.xact_rollback::float8 as rollbacks,
    d.blks_hit::float8 as blocks_hit,
    d.blks_read::float8 as blocks_read,
    d.temp_files::float8 as temp_files,
    d.temp_bytes::float8 as temp_bytes,
    d.deadlocks::float8 as deadlocks,
    d.checksum_failures::float8 as checksum_failures,
    d.checksum_last_failure as checksum_failed_at,
    pg_wal_lsn_diff((${lsn()}), '0/0')::float8 as wal_position,
    (${checkpointsRequested(version)})::float8 as checkpoints_requested,
    pg_has_role(current_user, 'pg_read_all_stats', 'usage') as may_see_all,
    current_user as role,
    current_database() as database,
    (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
    current_setting('max_connections')::int as max_connections,
    ${reserved()} as reserved_connections,
    (select coalesce(json_agg(g), '[]') from (
      select
        application_name,
        count(*)::int as connections,
        (count(*) filter (where state = 'idle'))::int as idle,
        (count(*) filter (where state like 'idle in transaction%'))::int as idle_in_transaction
      from pg_stat_activity
      where backend_type = 'client backend'
      group by application_name
      order by count(*) desc
      limit 5) g) as by_application,
    (select coalesce(json_agg(s), '[]') from (${sessions()}) s) as sessions,
    (select count(distinct pid)::int from (${waits()}) w) as blocked,
    (select extract(epoch from clock_timestamp() - min(waitstart))::float8 from (${waits()}) w)
      as longest_wait_seconds,
    (select coalesce(json_agg(p), '[]') from (
      select
        gid, database, owner,
        extract(epoch from clock_timestamp() - prepared)::float8 as age_seconds,
        age(transaction) as xmin_age
      from pg_prepared_xacts order by prepared limit 20) p) as prepared,
    (select coalesce(json_agg(r), '[]') from (
      select
        application_name as name, state,
        extract(epoch from replay_lag)::float8 as lag_seconds,
        case when pg_is_in_recovery() then null
          else pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 end as lag_bytes,
        age(backend_xmin) as xmin_age
      from pg_stat_replication order by replay_lsn limit 20) r) as replicas,
    (select coalesce(json_agg(s), '[]') from (
      select
        slot_name as name, slot_type as type, active, wal_status, temporary,
        pg_wal_lsn_diff((${lsn()}), restart_lsn)::float8 as retained_bytes,
        -- A logical slot keeps catalogs: those of another database are no business of this one.
        greatest(
          age(xmin), case when database = current_database() then age(catalog_xmin) end) as xmin_age
      from pg_replication_slots order by restart_lsn limit 20) s) as slots,
    (select json_build_object(
      'mode', current_setting('archive_mode'),
      'failed', failed_count,
      'archived', archived_count,
      'last_failed_at', last_failed_time,
      'last_archived_at', last_archived_time,
      'last_failed_wal', last_failed_wal,
      'is_failing', last_failed_time is not null
        and last_failed_time > coalesce(last_archived_time, '-infinity'))
      from pg_stat_archiver) as archiver,
    (select json_object_agg(name, current_setting(name, true)) from unnest(array[
      'fsync', 'full_page_writes', 'autovacuum', 'track_counts', 'data_checksums',
      'zero_damaged_pages', 'ignore_checksum_failure', 'max_wal_size', 'checkpoint_timeout',
      'work_mem', 'shared_buffers', 'autovacuum_vacuum_scale_factor', 'autovacuum_vacuum_threshold',
      'autovacuum_analyze_scale_factor', 'autovacuum_analyze_threshold',
      'max_slot_wal_keep_size', 'block_size', 'autovacuum_max_workers']) as name) as settings,
    (select max(age(datfrozenxid)) from pg_database) as xid_age,
    (select datname from pg_database order by age(datfrozenxid) desc limit 1) as xid_database,
    (select max(mxid_age(datminmxid)) from pg_database) as multixact_age,
    (select extnamespace::regnamespace::text from pg_extension where extname = 'pg_stat_statements')
      as statements_schema,
    exists (select from pg_settings where name = 'pg_stat_statements.max') as statements_loaded,
    (select extnamespace::regnamespace::text from pg_extension where extname = 'pgstattuple')
      as tuple_schema,
    (select count(*)::int from pg_stat_activity
      where wait_event in ('WALWrite', 'WalWrite', 'WALSync', 'WalSync', 'WALWriteLock')) as wal_waits
  from pg_stat_database d
  where d.datname = current_database()`),
  )
