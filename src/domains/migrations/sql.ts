import { sql } from '../../platform/postgres/sql.js'
import type { Migration } from './files.js'

/** One row of the ledger. */
export interface AppliedMigration {
  readonly version: number
  readonly name: string
  readonly checksum: string
  readonly applied_at: string
  readonly duration_ms: number
}

/** Makes the ledger, the one thing that cannot be a migration itself. */
export const createLedger = () => sql`
  create schema if not exists catalyst;
  create table if not exists catalyst.schema_migrations (
    version integer primary key,
    name text not null,
    description text not null,
    up_sha256 text not null,
    down_sql text,
    applied_at timestamptz not null default clock_timestamp(),
    duration_ms numeric(12, 3) not null,
    applied_by text not null default session_user,
    app_version text not null
  )`

/** True when the ledger exists. */
export const hasLedger = () => sql<{ present: boolean }>`
  select to_regclass('catalyst.schema_migrations') is not null as present`

/** What has been applied, lowest version first. */
export const listApplied = () => sql<AppliedMigration>`
  select version, name, up_sha256 as checksum, applied_at, duration_ms::float8 as duration_ms
  from catalyst.schema_migrations
  order by version`

/** Records a migration in the transaction that applied it. */
export const recordApplied = (migration: Migration, durationMs: number, appVersion: string) => sql`
  insert into catalyst.schema_migrations
    (version, name, description, up_sha256, down_sql, duration_ms, app_version)
  values
    (${migration.version}::integer, ${migration.name}::text, ${migration.description}::text,
     ${migration.upSha256}::text, ${migration.downSql}::text, ${durationMs}::numeric, ${appVersion}::text)`

/** The runners' advisory lock: a class of ours, so that no other use of advisory locks meets it. */
const LOCK_CLASS = 1_127_429_203
const RUNNER_LOCK = 1

/** Takes the runners' lock if it is free. Never the blocking form: CREATE INDEX CONCURRENTLY would deadlock with a waiter. */
export const tryLock = () => sql<{ locked: boolean }>`
  select pg_try_advisory_lock(${LOCK_CLASS}::integer, ${RUNNER_LOCK}::integer) as locked`

/** Gives the runners' lock back. */
export const unlock = () => sql`
  select pg_advisory_unlock(${LOCK_CLASS}::integer, ${RUNNER_LOCK}::integer)`

/** Who holds the runners' lock now. */
export const lockHolder = () => sql<{ pid: number; application_name: string }>`
  select activity.pid, activity.application_name
  from pg_locks as held
  join pg_stat_activity as activity using (pid)
  where held.locktype = 'advisory'
    and held.granted
    and held.database = (select oid from pg_database where datname = current_database())
    and held.classid = ${LOCK_CLASS}::oid
    and held.objid = ${RUNNER_LOCK}::oid
    and held.objsubid = 2`
