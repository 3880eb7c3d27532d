import { sql } from '../../../platform/postgres/sql.js'

/** A database from which others can be renamed: any that is neither of them. */
export const otherDatabase = (names: readonly string[]) => sql<{ name: string }>`
  select datname as name
  from pg_database
  where datallowconn and not datistemplate
    and datname <> all (${names}::text[])
    and has_database_privilege(datname, 'connect')
    and coalesce(shobj_description(oid, 'pg_database'), '') not like '%catalyst-db restore%'
  order by datname <> 'postgres', datname
  limit 1`

/** Whether anybody may connect. */
export const allowConnections = (name: string, isAllowed: boolean) => sql<never>`
  alter database ${sql.id(name)} with allow_connections ${sql.trusted(String(isAllowed))}`

export const renameDatabase = (from: string, to: string) => sql<never>`
  alter database ${sql.id(from)} rename to ${sql.id(to)}`

/** Slots of a database that nobody reads any more keep the log on the server for ever. */
export const dropSlotsOf = (database: string) => sql<{ slot_name: string }>`
  select slot_name, pg_drop_replication_slot(slot_name)
  from pg_replication_slots
  where database = ${database}::text and not active and not temporary`

/** Sessions in a database, but ours. */
export const sessionsIn = (database: string) => sql<{ pid: number; application_name: string }>`
  select pid, application_name
  from pg_stat_activity
  where datname = ${database}::text and pid <> pg_backend_pid()`

/** Whether the database has jobs. */
export const hasJobs = () => sql<{ found: boolean }>`
  select to_regclass('catalyst.jobs') is not null as found`

/** What runs or waits now, among it the restore itself. */
export const unfinishedJobs = () => sql<{ jobs: string }>`
  select coalesce(jsonb_agg(j), '[]')::text as jobs
  from catalyst.jobs j
  where state in ('queued', 'running')`

/** In the place of what ran at the restored moment. */
export const takeOverJobs = (jobs: string) => sql<never>`
  with ended as (
    delete from catalyst.jobs
    where state in ('queued', 'running')
       or job_id in (select value ->> 'job_id' from jsonb_array_elements(${jobs}::jsonb))
    returning job_id
  ),
  given as (
    select * from jsonb_populate_recordset(null::catalyst.jobs, ${jobs}::jsonb)
    where (select count(*) from ended) >= 0
  )
  insert into catalyst.jobs select * from given`

/** Whether somebody has made anything in a database. */
export const isEmpty = () => sql<{ empty: boolean }>`
  select not exists (
    select from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'S', 'v', 'm', 'f')
      and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname !~ '^pg_'
      and not exists (
        select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  ) as empty`
