import { machinery, prepared, sql } from '../../platform/postgres/sql.js'

/** A session that waits for a lock, or that others wait for. */
export interface LockSession {
  readonly pid: number
  readonly blocked_by: readonly number[]
  readonly application_name: string
  readonly role: string | null
  readonly state: string | null
  readonly wait_event: string | null
  readonly transaction_age_ms: number | null
  readonly state_age_ms: number | null
  /** Null where it waits for nothing. */
  readonly wait_ms: number | null
  readonly query: string | null
  /** The lock it waits for. */
  readonly wanted: LockNamed | null
  /** What it holds of what others wait for, the strongest first. */
  readonly held: readonly LockNamed[]
  readonly gid: string | null
}

/** A lock as people name it. */
export interface LockNamed {
  readonly type: string
  readonly mode: string
  readonly relation: string | null
}

const named = () => sql`
  json_build_object(
    'type', l.locktype,
    'mode', l.mode,
    -- A row is waited for by the transaction that changed it: its table is what the waiter has a lock on.
    'relation', coalesce(
      l.relation::regclass::text,
      case when l.locktype in ('transactionid', 'virtualxid') then (
        select t.relation::regclass::text from pg_locks t
        where t.pid = l.pid and t.granted = (t.locktype <> 'tuple')
          and t.locktype in ('tuple', 'relation') and t.relation is not null
          and t.mode in ('RowShareLock', 'RowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        order by t.locktype = 'tuple' desc,
          (select c.relkind from pg_class c where c.oid = t.relation) in ('r', 'p') desc
        limit 1) end))`

/**
 * Everybody in a chain of waiting, by pg_blocking_pids, which also knows of those who only stand before one in
 * the queue. A prepared transaction blocks without a process: its number is 0.
 */
export const lockSessions = () =>
  prepared(
    'monitoring.locks',
    machinery(sql<LockSession>`
  with waiting as materialized (
    select l.pid, pg_blocking_pids(l.pid) as blocked_by, min(l.waitstart) as since
    from pg_locks l
    join pg_stat_activity a on a.pid = l.pid and a.datname = current_database()
    where not l.granted
    group by l.pid
  ), involved as (
    select pid from waiting
    union
    select unnest(blocked_by) from waiting
  )
  select
    i.pid,
    coalesce(w.blocked_by, '{}') as blocked_by,
    coalesce(a.application_name, '') as application_name,
    a.usename as role,
    a.state,
    a.wait_event_type || ':' || a.wait_event as wait_event,
    (extract(epoch from clock_timestamp() - a.xact_start) * 1000)::float8 as transaction_age_ms,
    (extract(epoch from clock_timestamp() - a.state_change) * 1000)::float8 as state_age_ms,
    (extract(epoch from clock_timestamp() - w.since) * 1000)::float8 as wait_ms,
    left(a.query, 500) as query,
    (select ${named()} from pg_locks l where l.pid = i.pid and not l.granted limit 1) as wanted,
    (select coalesce(json_agg(h), '[]') from (
      select l.locktype as type, l.mode, l.relation::regclass::text as relation
      from pg_locks l
      left join pg_class c on c.oid = l.relation
      where l.pid = i.pid and l.granted and l.locktype = 'relation'
        and c.relkind in ('r', 'p', 'm', 'S')
        and c.relnamespace <> 'pg_catalog'::regnamespace
      order by array_position(array[
        'AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock',
        'ShareUpdateExclusiveLock', 'RowExclusiveLock', 'RowShareLock', 'AccessShareLock'], l.mode)
      limit 8) h) as held,
    case when i.pid = 0 then (select gid from pg_prepared_xacts order by prepared limit 1) end as gid
  from involved i
  left join waiting w on w.pid = i.pid
  left join pg_stat_activity a on a.pid = i.pid
  limit 500`),
  )
