import { sql } from '../../../platform/postgres/sql.js'
import { schemaFingerprint } from './fingerprint.sql.js'

/** What the server is, as far as a log of it can be kept. */
export interface LogFacts {
  readonly system_identifier: string
  readonly timeline: number
  readonly db_oid: number
  readonly database: string
  readonly wal_level: string
  readonly may_replicate: boolean
  readonly in_recovery: boolean
  readonly free_slots: number
  /** Megabytes; -1 is without limit. */
  readonly max_slot_wal_keep_size: number
  readonly has_schema: boolean
  readonly publication: string | null
  readonly slot: string | null
}

/** Names of the slot and the publication of an archive: its id without dashes. */
const SLOT = 'cdb_log_'
const PUBLICATION = 'cdb_pub_'

export const slotOf = (archiveId: string): string => SLOT + archiveId.replaceAll('-', '')
export const publicationOf = (archiveId: string): string =>
  PUBLICATION + archiveId.replaceAll('-', '')

/** The archive that a slot or publication is of. */
export function archiveOfName(name: string): string {
  const [, ...parts] = /^cdb_(?:log|pub)_(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(name) ?? []
  return parts.join('-')
}

/** See LogFacts. */
export const logFacts = () => sql<LogFacts>`
  select
    (select system_identifier::text from pg_control_system()) as system_identifier,
    case when not pg_is_in_recovery() then
      ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
    end as timeline,
    (select oid::int8 from pg_database where datname = current_database()) as db_oid,
    current_database()::text as database,
    current_setting('wal_level') as wal_level,
    (
      select rolreplication or rolsuper or exists (
        select
        from pg_roles
        where rolname = 'rds_replication'
          and pg_has_role(oid, 'usage')
      )
      from pg_roles
      where rolname = current_user
    ) as may_replicate,
    pg_is_in_recovery() as in_recovery,
    current_setting('max_replication_slots')::int - (select count(*)::int from pg_replication_slots) as free_slots,
    (select setting::int from pg_settings where name = 'max_slot_wal_keep_size') as max_slot_wal_keep_size,
    to_regprocedure('catalyst_log.publish()') is not null as has_schema,
    (select min(pubname::text) from pg_publication where pubname ~ '^cdb_pub_[0-9a-f]{32}$') as publication,
    (
      select min(slot_name::text)
      from pg_replication_slots
      where database = current_database()
        and plugin = 'pgoutput'
        and not temporary
        and slot_name ~ '^cdb_log_[0-9a-f]{32}$'
    ) as slot`

/** How a slot is doing. */
export interface SlotState {
  readonly wal_status: string | null
  readonly confirmed_lsn: string | null
  readonly retained_bytes: number
  readonly lag_bytes: number
}

/** See SlotState; no row when there is none. */
export const slotState = (slot: string) => sql<SlotState>`
  select
    wal_status,
    confirmed_flush_lsn::text as confirmed_lsn,
    coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::int8 as retained_bytes,
    coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn), 0)::int8 as lag_bytes
  from pg_replication_slots
  where slot_name = ${slot}::name
    and database = current_database()`

/** What of the catalog says that the schema changes. */
const CATALOG = [
  ...[
    'pg_class',
    'pg_attribute',
    'pg_attrdef',
    'pg_constraint',
    'pg_index',
    'pg_trigger',
    'pg_proc',
  ],
  ...[
    'pg_type',
    'pg_enum',
    'pg_rewrite',
    'pg_policy',
    'pg_sequence',
    'pg_extension',
    'pg_namespace',
  ],
]

/**
 * Where the log ends now, the server's clock before, and a figure that changes when the catalog does: it is no
 * work to ask for, and temporary tables change it as well.
 */
export const logEnd = () => sql<{ at: string; lsn: string; catalog: string }>`
  select
    clock_timestamp() as at,
    pg_current_wal_insert_lsn()::text as lsn,
    (
      select sum(
        pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid)
      )::text
      from pg_class
      where relnamespace = 'pg_catalog'::regnamespace
        and relname = any(${CATALOG}::name[])
    ) as catalog`

/** Makes the publication; the tables come with `publishTables`. */
export const createPublication = (name: string) =>
  sql`create publication ${sql.id(name)} with (publish_via_partition_root = false)`

export const dropPublication = (name: string) => sql`drop publication if exists ${sql.id(name)}`

/** Lets the log go on with exactly the tables that can be in it. */
export const publishTables = () => sql`select catalyst_log.publish()`

/** True where that would change something. */
export const isUnpublished = (publication: string) => sql<{ differs: boolean }>`
  select exists (
    select
    from catalyst.log_tables as logged
    full join (
      select prrelid
      from pg_publication_rel
      join pg_publication on pg_publication.oid = prpubid
      where pubname = ${publication}::name
    ) as member on prrelid = logged.oid
    where coalesce(can_be_logged, false) <> (prrelid is not null)
  ) as differs`

/** Makes the slot: what is committed from here on is kept for it. Waits for transactions that are open. */
export const createSlot = (slot: string) => sql<{ lsn: string }>`
  select lsn::text from pg_create_logical_replication_slot(${slot}::name, 'pgoutput')`

export const dropSlot = (slot: string) => sql`
  select pg_drop_replication_slot(slot_name)
  from pg_replication_slots
  where slot_name = ${slot}::name`

/** The same once nobody receives from it any more: a row when it is gone. */
export const dropSlotUnlessActive = (slot: string) => sql<{ gone: boolean }>`
  select pg_drop_replication_slot(slot_name) is not null as gone
  from pg_replication_slots
  where slot_name = ${slot}::name
    and active_pid is null`

/** Ends who receives from a slot. */
export const endReceiver = (slot: string) => sql`
  select pg_terminate_backend(active_pid)
  from pg_replication_slots
  where slot_name = ${slot}::name
    and active_pid is not null`

/** Digests of the proofs by which schema changes of migrations are known. */
export const schemaProofs = () => sql<{ marks_sha256: string }>`
  select marks_sha256
  from catalyst.schema_migrations
  where marks_sha256 is not null`

/**
 * Writes down what is so at this place of the log, so that the log tells it; answers the server's clock before it.
 * The fingerprint is asked for again unless it is known: then that of the last mark stays, whoever has written it.
 */
export const writeMark = (markId: string, known: string | null = null) => sql<{
  at: string
  schema_fingerprint: string
}>`
  insert into catalyst.log_mark as mark (mark_id, at, sequences, schema_fingerprint, not_logged)
  select
    ${markId}::text,
    clock_timestamp(),
    (
      select coalesce(jsonb_object_agg(format('%I.%I', schemaname, sequencename), last_value::text), '{}')
      from pg_sequences
      where last_value is not null
    )::text,
    coalesce(${known}::text, ${schemaFingerprint()}),
    (
      select coalesce(jsonb_agg(format('%I.%I', nspname, relname) order by nspname, relname), '[]')
      from catalyst.log_tables
      where not can_be_logged
    )::text
  on conflict (one) do update set
    mark_id = excluded.mark_id,
    at = excluded.at,
    sequences = excluded.sequences,
    schema_fingerprint = case
      when ${known}::text is null then excluded.schema_fingerprint
      else mark.schema_fingerprint
    end,
    not_logged = excluded.not_logged
  returning at, schema_fingerprint`

/** How the archiver is doing, for other servers and for who asks later. */
export interface LogState {
  readonly archive_id: string | null
  readonly state: 'archiving' | 'paused' | 'unavailable'
  readonly reason: string | null
  readonly covered_until: string | null
  readonly archived_lsn: string | null
  readonly last_segment_at: string | null
  readonly budget_bytes: number | null
}

export const writeLogState = (state: LogState) => sql`
  insert into catalyst.backup_log as log (
    archive_id, state, reason, covered_until, archived_lsn, last_segment_at, budget_bytes, updated_at
  )
  values (
    ${state.archive_id}::text, ${state.state}::text, ${state.reason}::text, ${state.covered_until}::timestamptz,
    ${state.archived_lsn}::pg_lsn, ${state.last_segment_at}::timestamptz, ${state.budget_bytes}::int8,
    clock_timestamp()
  )
  on conflict (one) do update set
    archive_id = excluded.archive_id,
    state = excluded.state,
    reason = excluded.reason,
    covered_until = coalesce(excluded.covered_until, log.covered_until),
    archived_lsn = coalesce(excluded.archived_lsn, log.archived_lsn),
    last_segment_at = coalesce(excluded.last_segment_at, log.last_segment_at),
    budget_bytes = excluded.budget_bytes,
    updated_at = excluded.updated_at`

export const readLogState = () => sql<LogState & { updated_at: string }>`
  select
    archive_id, state, reason, covered_until, archived_lsn::text as archived_lsn, last_segment_at, budget_bytes,
    updated_at
  from catalyst.backup_log`
