import { type Statement, machinerySql as sql } from '../../platform/postgres/sql.js'
import type { Migration } from './files.js'
import type { FileLosses } from './losses.js'
import type { HistoryEntry } from './schemas.js'

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

/** Makes the ledger and its log, the one thing that cannot be a migration itself. */
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
    app_version text not null,
    status text not null default 'applied' check (status in ('applied', 'failed')),
    direction text not null default 'up' check (direction in ('up', 'down')),
    statements_total integer not null default 0,
    statements_started integer not null default 0,
    statements_done integer not null default 0,
    done_sha256 text,
    error text,
    commit_xid xid8,
    commit_sha256 text,
    marks_sha256 text
  );
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
  create or replace function catalyst.schema_migration_log_refuses() returns trigger
  language plpgsql as $$
  begin
    raise exception '% is append-only', tg_table_name using errcode = '42501';
  end $$;
  create or replace trigger schema_migration_log_is_append_only
    before update or delete or truncate on catalyst.schema_migration_log
    for each statement execute function catalyst.schema_migration_log_refuses()`

/**
 * Whether there is a ledger, and whether the schema is somebody else's: it holds something, and no ledger
 * with our columns. From the catalogs alone, which also answer where the role has no right to the schema.
 */
export const ledgerState = () => sql<{ present: boolean; is_foreign: boolean }>`
  select
    ledger.present,
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

/** The whole ledger, lowest version first. */
export const listLedger = () => sql<LedgerRow>`
  select
    version,
    name,
    up_sha256 as checksum,
    down_sql,
    status,
    direction,
    statements_total,
    statements_started,
    statements_done,
    done_sha256,
    error,
    commit_xid::text as commit_xid,
    applied_by
  from catalyst.schema_migrations
  order by version`

/** Writes down that an up script is under way, or goes on where an attempt stopped. */
export const recordBegun = (
  { version, name, upSha256, downSql, directives }: Migration,
  run: { statements: number; by: string; appVersion: string },
) => sql`
  insert into catalyst.schema_migrations
    (version, name, description, up_sha256, down_sql, duration_ms, applied_by, app_version,
     status, statements_total)
  values (
    ${version}::integer, ${name}::text, ${directives.description}::text, ${upSha256}::text,
    ${downSql}::text, 0, ${run.by}::text, ${run.appVersion}::text, 'failed',
    ${run.statements}::integer
  )
  on conflict (version) do update set
    name = excluded.name,
    description = excluded.description,
    up_sha256 = excluded.up_sha256,
    down_sql = excluded.down_sql,
    applied_by = excluded.applied_by,
    app_version = excluded.app_version,
    statements_total = excluded.statements_total`

const change = (version: number, to: Statement<never>) => sql`
  update catalyst.schema_migrations
  set ${to}
  where version = ${version}::integer`

/** The same of a down script; one that begins has done none of its own statements yet. */
export const recordDownBegun = (version: number, statements: number) =>
  change(
    version,
    sql`
    statements_started = case when direction = 'down' then statements_started else 0 end,
    statements_done = case when direction = 'down' then statements_done else 0 end,
    done_sha256 = case when direction = 'down' then done_sha256 end,
    status = 'failed',
    direction = 'down',
    statements_total = ${statements}::integer`,
  )

/** All statements of an up script that was begun are done. */
export const recordApplied = (version: number, durationMs: number) =>
  change(
    version,
    sql`
    applied_at = clock_timestamp(),
    duration_ms = ${durationMs}::numeric,
    status = 'applied',
    direction = 'up',
    statements_started = statements_total,
    statements_done = statements_total,
    done_sha256 = null,
    commit_xid = null,
    commit_sha256 = null,
    error = null`,
  )

/** A statement that cannot share a transaction with its record is about to run. */
export const recordStarted = (version: number, statement: number) =>
  change(version, sql`statements_started = ${statement}::integer, error = null`)

/** So many statements are done; `digest` is that of their texts. */
export const recordDone = (version: number, statement: number, digest: string) =>
  change(
    version,
    sql`
    statements_started = ${statement}::integer,
    statements_done = ${statement}::integer,
    done_sha256 = ${digest}::text,
    commit_xid = null,
    error = null`,
  )

/** The transaction of the statements up to this one is about to be committed. */
export const recordCommitting = (
  version: number,
  commit: { statement: number; digest: string; transactionId: string },
) =>
  change(
    version,
    sql`
    statements_started = ${commit.statement}::integer,
    commit_xid = ${commit.transactionId}::text::xid8,
    commit_sha256 = ${commit.digest}::text,
    error = null`,
  )

/** It was committed. */
export const recordCommitted = (version: number) =>
  change(
    version,
    sql`statements_done = statements_started, done_sha256 = commit_sha256, commit_xid = null`,
  )

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

/** What the marks of its schema changes are known by; what a script wrote into the log itself has no proof. */
export const recordMarks = (version: number, proof: string) =>
  change(version, sql`marks_sha256 = encode(sha256(convert_to(${proof}::text, 'UTF8')), 'hex')`)

/** Why a script of single statements stopped. */
export const recordFailure = (version: number, error: string) =>
  change(version, sql`error = ${error}::text`)

/** Settles a statement of which nobody recorded how it ended: it is run again. */
export const forgetStarted = (version: number) =>
  change(version, sql`statements_started = statements_done`)

/** Accepts a file as it is now, and its down script, for what was applied. */
export const acceptFile = ({ version, name, upSha256, downSql, directives }: Migration) =>
  change(
    version,
    sql`
    name = ${name}::text,
    description = ${directives.description}::text,
    up_sha256 = ${upSha256}::text,
    down_sql = ${downSql}::text`,
  )

/** Takes a migration out of the ledger. */
export const removeMigration = (version: number) => sql`
  delete from catalyst.schema_migrations
  where version = ${version}::integer`

/** What became of a transaction; null when it is too long ago. */
export const transactionStatus = (transactionId: string) => sql<{ status: string | null }>`
  select pg_xact_status(${transactionId}::text::xid8) as status`

/** Keeps what a plan was measured to lose, so that exactly this can be asked and confirmed. */
export const recordLosses = (plan: string, losses: readonly FileLosses[]) => sql`
  with forgotten as (
    delete from catalyst.schema_migration_losses
    where measured_at < now() - interval '1 day'
  )
  insert into catalyst.schema_migration_losses (plan_sha256, losses)
  values (${plan}::text, ${JSON.stringify(losses)}::jsonb)
  on conflict (plan_sha256) do update set losses = excluded.losses, measured_at = clock_timestamp()`

/** What a plan was last measured to lose. */
export const findLosses = (plan: string) => sql<{ losses: readonly FileLosses[] }>`
  select losses
  from catalyst.schema_migration_losses
  where plan_sha256 = ${plan}::text`

/** What one entry of the log says beside its time. */
export interface LogEntry {
  readonly version: number
  readonly name: string
  readonly direction: HistoryEntry['direction']
  readonly checksum: string
  readonly durationMs: number
  readonly by: string
  readonly requestId: string | null
  readonly appVersion: string
  readonly note: string | null
}

/** Appends to the log what was done; answers whether the tables of migration 1 can take events of it. */
export const appendLog = (entry: LogEntry) => sql<{ has_outbox: boolean }>`
  insert into catalyst.schema_migration_log
    (version, name, direction, checksum, duration_ms, applied_by, request_id, app_version, note)
  values (
    ${entry.version}::integer, ${entry.name}::text, ${entry.direction}::text,
    ${entry.checksum}::text, ${entry.durationMs}::numeric, ${entry.by}::text,
    ${entry.requestId}::text, ${entry.appVersion}::text, ${entry.note}::text
  )
  returning to_regclass('catalyst.event_outbox') is not null as has_outbox`

/** The log, newest first, below an entry; one row more than asked for tells that there are more. */
export const listLog = (limit: number, before: string | null) =>
  sql<HistoryEntry & { readonly log_id: string }>`
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
