import { sql } from '../../platform/postgres/sql.js'
import type { Migration } from './files.js'
import type { FileLosses } from './measure/loss.js'
import type { HistoryEntry } from './report.js'

/** One row of the ledger. */
export interface LedgerRow {
  readonly version: number
  readonly name: string
  readonly checksum: string
  readonly down_sql: string | null
  /** `failed`: a script that is not one transaction did not reach its end. */
  readonly status: 'applied' | 'failed'
  /** Of which script `status` and the counts speak. */
  readonly direction: 'up' | 'down'
  readonly statements_total: number
  /** Above `statements_done` without an error: nobody recorded how that statement ended. */
  readonly statements_started: number
  readonly statements_done: number
  readonly done_sha256: string | null
  readonly error: string | null
  /** The transaction of the statements up to `statements_started`, while nobody has recorded how it ended. */
  readonly commit_xid: string | null
  readonly applied_by: string
}

/** What one entry of the log says beside its time. */
export interface LogEntry {
  readonly version: number
  readonly name: string
  readonly direction: HistoryEntry['direction']
  readonly checksum: string | null
  readonly durationMs: number
  readonly by: string
  readonly requestId: string | null
  readonly appVersion: string
  readonly note: string | null
}

/**
 * Makes the ledger and its log, the one thing that cannot be a migration itself, and brings those of
 * earlier builds to this form: what the ledger knew becomes the beginning of the log.
 */
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
  );
  alter table catalyst.schema_migrations
    add column if not exists down_sha256 text,
    add column if not exists status text not null default 'applied'
      check (status in ('applied', 'failed')),
    add column if not exists direction text not null default 'up'
      check (direction in ('up', 'down')),
    add column if not exists statements_total integer not null default 0,
    add column if not exists statements_started integer not null default 0,
    add column if not exists statements_done integer not null default 0,
    add column if not exists done_sha256 text,
    add column if not exists error text,
    add column if not exists commit_xid xid8,
    add column if not exists commit_sha256 text,
    add column if not exists marks_sha256 text;
  create table if not exists catalyst.schema_migration_losses (
    plan_sha256 text primary key,
    measured_at timestamptz not null default clock_timestamp(),
    losses jsonb not null
  );
  create table if not exists catalyst.schema_migration_log (
    log_id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    version integer not null,
    name text not null,
    direction text not null check (direction in ('up', 'down', 'baseline', 'repair')),
    checksum text,
    duration_ms numeric(12, 3) not null,
    applied_by text not null,
    request_id text,
    app_version text not null,
    note text
  );
  insert into catalyst.schema_migration_log
    (at, version, name, direction, checksum, duration_ms, applied_by, app_version)
  select applied_at, version, name, 'up', up_sha256, duration_ms, applied_by, app_version
  from catalyst.schema_migrations
  where not exists (select 1 from catalyst.schema_migration_log)
  order by applied_at, version;
  create or replace function catalyst.schema_migration_log_refuses() returns trigger
  language plpgsql as $$
  begin
    raise exception '% is append-only', tg_table_name using errcode = '42501';
  end $$;
  create or replace trigger schema_migration_log_is_append_only
    before update or delete or truncate on catalyst.schema_migration_log
    for each statement execute function catalyst.schema_migration_log_refuses()`

/**
 * Whether there is a ledger, whether it has the form that this build writes, and whether the schema is
 * somebody else's: it holds something, and no ledger with our columns. From the catalogs alone, which
 * also answer where the role has no right to the schema.
 */
export const ledgerState = () => sql<LedgerState>`
  select
    ledger.present,
    ledger.present and (
      select count(*) = 2
      from pg_class
      where relnamespace = schema.oid
        and relname in ('schema_migration_log', 'schema_migration_losses')
    ) as is_current,
    not ledger.present and exists (
      select 1
      from pg_depend
      where refclassid = 'pg_namespace'::regclass and refobjid = schema.oid and deptype = 'n'
    ) as is_foreign
  from (values ('catalyst')) as wanted (name)
  left join pg_namespace as schema on schema.nspname = wanted.name
  cross join lateral (
    select exists (
      select 1
      from pg_class as class
      join pg_attribute as attribute on attribute.attrelid = class.oid
      where class.relnamespace = schema.oid
        and class.relname = 'schema_migrations'
        and attribute.attname = 'up_sha256'
    ) as present
  ) as ledger`

/** What there is where the ledger should be. */
export interface LedgerState {
  readonly present: boolean
  readonly is_current: boolean
  readonly is_foreign: boolean
}

/** The whole ledger, lowest version first; also one of an earlier build, which has fewer columns. */
export const listLedger = () => sql<LedgerRow>`
  select
    (entry ->> 'version')::integer as version,
    entry ->> 'name' as name,
    entry ->> 'up_sha256' as checksum,
    entry ->> 'down_sql' as down_sql,
    coalesce(entry ->> 'status', 'applied') as status,
    coalesce(entry ->> 'direction', 'up') as direction,
    coalesce((entry ->> 'statements_total')::integer, 0) as statements_total,
    coalesce((entry ->> 'statements_started')::integer, 0) as statements_started,
    coalesce((entry ->> 'statements_done')::integer, 0) as statements_done,
    entry ->> 'done_sha256' as done_sha256,
    entry ->> 'error' as error,
    entry ->> 'commit_xid' as commit_xid,
    entry ->> 'applied_by' as applied_by
  from catalyst.schema_migrations as migration
  cross join lateral to_jsonb(migration) as entry
  order by 1`

/** Records a migration as applied, whether its row is new or tells of an attempt that stopped. */
export const recordApplied = (
  migration: Migration,
  run: { statements: number; durationMs: number; by: string; appVersion: string },
) => sql`
  insert into catalyst.schema_migrations
    (version, name, description, up_sha256, down_sql, down_sha256, duration_ms, applied_by,
     app_version, statements_total, statements_started, statements_done)
  values (
    ${migration.version}::integer, ${migration.name}::text, ${migration.description}::text,
    ${migration.upSha256}::text, ${migration.downSql}::text,
    encode(sha256(convert_to(${migration.downSql}::text, 'UTF8')), 'hex'),
    ${run.durationMs}::numeric, ${run.by}::text, ${run.appVersion}::text,
    ${run.statements}::integer, ${run.statements}::integer, ${run.statements}::integer
  )
  on conflict (version) do update set
    name = excluded.name,
    description = excluded.description,
    up_sha256 = excluded.up_sha256,
    down_sql = excluded.down_sql,
    down_sha256 = excluded.down_sha256,
    applied_at = excluded.applied_at,
    duration_ms = excluded.duration_ms,
    applied_by = excluded.applied_by,
    app_version = excluded.app_version,
    status = 'applied',
    direction = 'up',
    statements_total = excluded.statements_total,
    statements_started = excluded.statements_started,
    statements_done = excluded.statements_done,
    done_sha256 = null,
    commit_xid = null,
    commit_sha256 = null,
    error = null`

/** Writes down that a script of single statements begins, or goes on where an attempt stopped. */
export const recordBegun = (
  migration: Migration,
  run: { statements: number; by: string; appVersion: string },
) => sql`
  insert into catalyst.schema_migrations
    (version, name, description, up_sha256, down_sql, duration_ms, applied_by, app_version,
     status, statements_total)
  values (
    ${migration.version}::integer, ${migration.name}::text, ${migration.description}::text,
    ${migration.upSha256}::text, ${migration.downSql}::text, 0, ${run.by}::text,
    ${run.appVersion}::text, 'failed', ${run.statements}::integer
  )
  on conflict (version) do update set
    up_sha256 = excluded.up_sha256,
    down_sql = excluded.down_sql,
    statements_total = excluded.statements_total`

/** The same for its down script; one that begins has done none of its own statements yet. */
export const recordDownBegun = (version: number, statements: number) => sql`
  update catalyst.schema_migrations
  set
    statements_started = case when direction = 'down' then statements_started else 0 end,
    statements_done = case when direction = 'down' then statements_done else 0 end,
    done_sha256 = case when direction = 'down' then done_sha256 end,
    status = 'failed',
    direction = 'down',
    statements_total = ${statements}::integer
  where version = ${version}::integer`

/** A statement that cannot share a transaction with its record is about to run. */
export const recordStarted = (version: number, statement: number) => sql`
  update catalyst.schema_migrations
  set statements_started = ${statement}::integer, error = null
  where version = ${version}::integer`

/** So many statements are done; `digest` is that of their texts. */
export const recordDone = (version: number, statement: number, digest: string) => sql`
  update catalyst.schema_migrations
  set
    statements_started = ${statement}::integer,
    statements_done = ${statement}::integer,
    done_sha256 = ${digest}::text,
    commit_xid = null,
    error = null
  where version = ${version}::integer`

/** The transaction of the statements up to this one is about to be committed. */
export const recordCommitting = (
  version: number,
  commit: { statement: number; digest: string; transactionId: string },
) => sql`
  update catalyst.schema_migrations
  set
    statements_started = ${commit.statement}::integer,
    commit_xid = ${commit.transactionId}::text::xid8,
    commit_sha256 = ${commit.digest}::text,
    error = null
  where version = ${version}::integer`

/** What the marks of its schema changes are known by; what a script wrote into the log itself has no proof. */
export const recordMarks = (version: number, proof: string) => sql`
  update catalyst.schema_migrations
  set marks_sha256 = encode(sha256(convert_to(${proof}::text, 'UTF8')), 'hex')
  where version = ${version}::integer`

/** It was committed. */
export const recordCommitted = (version: number) => sql`
  update catalyst.schema_migrations
  set statements_done = statements_started, done_sha256 = commit_sha256, commit_xid = null
  where version = ${version}::integer`

/** It was not: a script of which nothing is done was never begun. */
export const recordAborted = (version: number) => sql`
  with forgotten as (
    delete from catalyst.schema_migrations
    where version = ${version}::integer and direction = 'up' and statements_done = 0
  )
  update catalyst.schema_migrations
  set
    statements_started = statements_done,
    commit_xid = null,
    status = case when direction = 'down' and statements_done = 0 then 'applied' else status end,
    direction = case when direction = 'down' and statements_done = 0 then 'up' else direction end
  where version = ${version}::integer and not (direction = 'up' and statements_done = 0)`

/** Everything of an up script is done, and its runner went away before it could say so. */
export const recordFinished = (version: number) => sql`
  update catalyst.schema_migrations
  set status = 'applied', commit_sha256 = null, done_sha256 = null
  where version = ${version}::integer`

/** What became of a transaction; null when it is too long ago. */
export const transactionStatus = (transactionId: string) => sql<{ status: string | null }>`
  select pg_xact_status(${transactionId}::text::xid8) as status`

/** Keeps what a plan was measured to lose, so that exactly this can be asked and confirmed. */
export const recordLosses = (plan: string, losses: string) => sql`
  with forgotten as (
    delete from catalyst.schema_migration_losses
    where measured_at < now() - interval '1 day'
  )
  insert into catalyst.schema_migration_losses (plan_sha256, losses)
  values (${plan}::text, ${losses}::jsonb)
  on conflict (plan_sha256) do update set losses = excluded.losses, measured_at = clock_timestamp()`

/** What a plan was last measured to lose. */
export const findLosses = (plan: string) => sql<{ losses: readonly FileLosses[] }>`
  select losses
  from catalyst.schema_migration_losses
  where plan_sha256 = ${plan}::text`

/** Why a script of single statements stopped. */
export const recordFailure = (version: number, error: string) => sql`
  update catalyst.schema_migrations
  set error = ${error}::text
  where version = ${version}::integer`

/** Takes a migration that was rolled back out of the ledger. */
export const removeMigration = (version: number) => sql`
  delete from catalyst.schema_migrations
  where version = ${version}::integer`

/** Accepts a file as it is now, and its down script, for what was applied. */
export const acceptFile = (migration: Migration) => sql`
  update catalyst.schema_migrations
  set
    name = ${migration.name}::text,
    description = ${migration.description}::text,
    up_sha256 = ${migration.upSha256}::text,
    down_sql = ${migration.downSql}::text,
    down_sha256 = encode(sha256(convert_to(${migration.downSql}::text, 'UTF8')), 'hex')
  where version = ${migration.version}::integer`

/** Settles a statement of which nobody recorded how it ended: it is run again. */
export const forgetStarted = (version: number) => sql`
  update catalyst.schema_migrations
  set statements_started = statements_done
  where version = ${version}::integer`

/** Appends to the log what was done. */
export const appendLog = (entry: LogEntry) => sql`
  insert into catalyst.schema_migration_log
    (version, name, direction, checksum, duration_ms, applied_by, request_id, app_version, note)
  values (
    ${entry.version}::integer, ${entry.name}::text, ${entry.direction}::text,
    ${entry.checksum}::text, ${entry.durationMs}::numeric, ${entry.by}::text,
    ${entry.requestId}::text, ${entry.appVersion}::text, ${entry.note}::text
  )`

/** The log, newest first, below an entry; one row more than asked for tells that there are more. */
export const listLog = (limit: number, before: string | null) => sql<HistoryEntry>`
  select
    log_id::text as log_id,
    version,
    name,
    at as applied_at,
    duration_ms::float8 as duration_ms,
    direction,
    applied_by,
    checksum
  from catalyst.schema_migration_log as entry
  where ${before}::bigint is null or entry.log_id < ${before}::bigint
  order by entry.log_id desc
  limit ${limit + 1}::integer`

/** True once the tables of migration 1 can take an event. */
export const hasOutbox = () => sql<{ present: boolean }>`
  select to_regclass('catalyst.event_outbox') is not null as present`
