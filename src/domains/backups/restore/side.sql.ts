import { sql } from '../../../platform/postgres/sql.js'
import type { FullManifest } from '../archive/manifest.js'

/** Words with names and values in them, quoted by PostgreSQL itself; to be run as they are. */
interface Quoted {
  readonly text: string
}

/** A database with the encoding and locale of the one that was backed up. */
export const createDatabase = (name: string, server: FullManifest['server']) => {
  const { encoding, collate, ctype, locale_provider, locale } = server
  const provider = {
    i: sql`format(' locale_provider icu icu_locale %L', ${locale}::text)`,
    b: sql`format(' locale_provider builtin builtin_locale %L', ${locale}::text)`,
    c: sql`''`,
  }[locale_provider]
  return sql<Quoted>`
    select format(
      'create database %I template template0 encoding %L lc_collate %L lc_ctype %L',
      ${name}::text, ${encoding}::text, ${collate}::text, ${ctype}::text
    ) || ${provider ?? sql`''`} as text`
}

/** What a database says of itself to everybody on the server. */
export const describeDatabase = (name: string, text: string) => sql<Quoted>`
  select format('comment on database %I is %L', ${name}::text, nullif(${text}::text, '')) as text`

/** A database with what it says of itself. */
export interface DescribedDatabase {
  readonly database: string
  readonly description: string
  readonly size_bytes: number | null
  readonly sessions: number
}

/** Databases that may be restored ones, of those whose owner we are or may act as. */
export const describedDatabases = () => sql<DescribedDatabase>`
  select
    d.datname as database,
    shobj_description(d.oid, 'pg_database') as description,
    case when d.datallowconn then pg_database_size(d.oid) end as size_bytes,
    -- A worker of autovacuum ends by itself when the database is dropped.
    (select count(*) from pg_stat_activity a
      where a.datid = d.oid and a.backend_type <> 'autovacuum worker')::int as sessions
  from pg_database d
  where d.datname ~ '__(rst|old)_[0-9a-f]{12}$'
    and shobj_description(d.oid, 'pg_database') is not null
    and pg_has_role(d.datdba, 'member')
  order by 1`

/** Where the row is that says what a database is. */
export const makeMeta = () => sql<never>`
  create schema if not exists cdb_meta;
  create table if not exists cdb_meta.restored_from (
    restore_id text primary key,
    backup_id text not null,
    source_database text not null,
    recovered_to_time timestamptz not null,
    recovered_to_lsn pg_lsn not null,
    tables text[],
    restored_at timestamptz not null default clock_timestamp()
  )`

/** The row itself. */
export const writeMeta = (row: {
  readonly restore_id: string
  readonly backup_id: string
  readonly source: string
  readonly time: string
  readonly lsn: string
  readonly tables: readonly string[] | null
}) => sql`
  insert into cdb_meta.restored_from
    (restore_id, backup_id, source_database, recovered_to_time, recovered_to_lsn, tables)
  values (
    ${row.restore_id}::text, ${row.backup_id}::text, ${row.source}::text,
    ${row.time}::timestamptz, ${row.lsn}::pg_lsn, ${row.tables}::text[]
  )`

/** Ends every session in a database but ours; how many there were. */
export const endSessionsIn = (name: string) => sql<{ ended: boolean }>`
  select pg_terminate_backend(pid) as ended
  from pg_stat_activity
  where datname = ${name}::text and pid <> pg_backend_pid()`
