import { sql } from '../../platform/postgres/sql.js'

/** What has to be known before the role of scripts is made or used. */
export interface MigratorFacts {
  readonly version: number
  readonly database: string
  readonly role: string
  readonly exists: boolean
  /** The product's role is a member of it, and so keeps its rights on what migrations make. */
  readonly is_member: boolean
  readonly may_create: boolean
  readonly may_create_in_public: boolean
}

/** The role of scripts as it is now. */
export const migratorFacts = () => sql<MigratorFacts>`
  select
    current_setting('server_version_num')::integer as version,
    current_database() as database,
    current_user as role,
    migrator is not null as exists,
    coalesce(pg_has_role(current_user, migrator, 'USAGE'), false) as is_member,
    coalesce(has_database_privilege(migrator, current_database(), 'CREATE'), false) as may_create,
    coalesce(has_schema_privilege(migrator, 'public', 'CREATE'), false) as may_create_in_public
  from (select to_regrole('catalyst_migrator')::oid as migrator) as looked_up`

/** Makes the role that runs scripts. */
export const createMigrator = () => sql`
  create role catalyst_migrator login nosuperuser nocreatedb nocreaterole noreplication nobypassrls`

/** Makes the product's role a member of it. */
export const joinMigrator = (hasOptions: boolean) =>
  hasOptions
    ? sql`grant catalyst_migrator to current_user with inherit true, set true`
    : sql`grant catalyst_migrator to current_user`

/** Lets it make schemas. */
export const grantDatabase = (database: string) => sql`
  grant create, temporary on database ${sql.id(database)} to catalyst_migrator`

/** Lets it make tables. */
export const grantPublic = () => sql`
  grant usage, create on schema public to catalyst_migrator`

/** Gives it a password for one run; the text is the verifier that the server would keep. */
export const setPassword = (verifier: string) =>
  sql.trusted(
    `alter role catalyst_migrator password '${verifier}' valid until '${soon().toISOString()}'`,
  )

const VALID_MS = 5 * 60_000
const soon = (): Date => new Date(Date.now() + VALID_MS)

/** What the role of this session could do that scripts of clients must not. */
export const powers = () => sql<{ role: string; powers: string[] }>`
  select
    session_user as role,
    array(
      select power
      from (
        select 'it is a superuser' as power
        from pg_catalog.pg_roles
        where rolname = session_user and rolsuper
        union all
        select 'it may create roles or databases, replicate, or pass row security'
        from pg_catalog.pg_roles
        where rolname = session_user
          and (rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)
        union all
        select 'it is a member of ' || rolname
        from pg_catalog.pg_roles
        where rolname <> session_user
          and (
            rolsuper or rolcreaterole or rolreplication or rolbypassrls
            or rolname in (
              'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program',
              'pg_write_all_data', 'pg_read_all_data', 'pg_signal_backend', 'pg_create_subscription',
              'pg_use_reserved_connections', 'pg_maintain', 'pg_checkpoint'
            )
          )
          and pg_catalog.pg_has_role(session_user, pg_roles.oid, 'MEMBER')
          and not exists (select from pg_catalog.pg_roles where rolname = session_user and rolsuper)
        union all
        select 'it has rights on the schema catalyst'
        from pg_catalog.pg_namespace
        where nspname = 'catalyst'
          and (
            pg_catalog.has_schema_privilege(session_user, pg_namespace.oid, 'USAGE, CREATE')
            or pg_catalog.pg_has_role(session_user, nspowner, 'MEMBER')
          )
      ) as found
    ) as powers`
