import { sql } from '../sql.js'

/** What has to be known before the roles are made or used. */
export interface RoleFacts {
  readonly version: number
  /** Quoted where it must be. */
  readonly database: string
  /** The role of the product. */
  readonly role: string
  readonly is_superuser: boolean
  readonly may_create_roles: boolean
  /** The role of the product may give the role of scripts a password for each run. */
  readonly may_set_password: boolean
  /** The role of scripts is there. */
  readonly exists: boolean
  /** What is missing, in order: run by whoever may, it is no longer. */
  readonly missing: readonly MissingLine[]
  /** What gives the role of scripts a password that somebody has to choose. */
  readonly password_line: string
  /** Which server this is, and which of its databases. */
  readonly place: string
  /** Five minutes from now by the clock of the server. */
  readonly soon: string
}

/** A line that is still to be run. */
export interface MissingLine {
  readonly line: string
  /** Scripts cannot run without it. */
  readonly is_needed: boolean
}

/** Where a session is, to be compared with another's. */
const place = sql.trusted(`
  pg_catalog.concat(
    pg_catalog.pg_postmaster_start_time(), ' ',
    (select oid from pg_catalog.pg_database where datname operator(pg_catalog.=) pg_catalog.current_database())
  )`)

/**
 * The roles of scripts and readers as they are, and the lines that are missing; may be asked by any role.
 * Membership must bring the rights, and the right to hand things over.
 */
export const roleFacts = (migrator: string) => sql<RoleFacts>`
  with self as (
    select *, current_setting('server_version_num')::integer as version
    from pg_roles
    where rolname = current_user
  ),
  migrator as (
    select wanted.name, pg_roles.oid
    from (values (${migrator}::name)) as wanted (name)
    left join pg_roles on rolname = wanted.name
  ),
  -- From 16 on the right to create roles does not reach those that others have made.
  administration as (
    select version < 160000
      or migrator.oid is null
      or pg_has_role(self.oid, migrator.oid, 'MEMBER WITH ADMIN OPTION') as is_admin
    from self
    cross join migrator
  ),
  place as (
    select pg_database.oid, datname, datacl
    from pg_database
    where datname = current_database()
  ),
  line (step, line, is_needed) as (
    select 1, format('create role %I login;', migrator.name), true
    from migrator
    where oid is null
    union all
    select 2, format('create role %I login;', 'catalyst_reader'), false
    where not exists (select from pg_roles where rolname = 'catalyst_reader')
    union all
    select 3,
      format('grant %I to %I%s;', migrator.name, rolname,
        case
          when version < 160000 then ''
          when rolcreaterole and not is_admin then ' with admin true, inherit true, set true'
          else ' with inherit true, set true'
        end),
      true
    from self
    cross join migrator
    cross join administration
    where not coalesce(
      pg_has_role(self.oid, migrator.oid, 'USAGE')
        and pg_has_role(self.oid, migrator.oid, case when version >= 160000 then 'SET' else 'MEMBER' end)
        and (is_admin or not rolcreaterole),
      false)
    union all
    select 3, format('alter role %I inherit;', rolname), true
    from self
    where version < 160000 and not rolinherit
    union all
    select 4,
      format('grant connect, create, temporary on database %I to %I;', datname, migrator.name),
      not coalesce(has_database_privilege(migrator.oid, place.oid, 'CONNECT'), true)
    from place
    cross join migrator
    where not exists (
      select from aclexplode(datacl) where grantee = migrator.oid and privilege_type = 'CREATE'
    )
    union all
    select 5,
      format('grant usage, create on schema public to %I;', migrator.name),
      not exists (
        select from pg_namespace
        where nspname !~ '^pg_'
          and nspname not in ('catalyst', 'information_schema')
          and has_schema_privilege(migrator.oid, pg_namespace.oid, 'CREATE')
      )
    from migrator
    join pg_namespace on nspname = 'public'
    where not coalesce(
      has_schema_privilege(migrator.oid, pg_namespace.oid, 'USAGE')
        and has_schema_privilege(migrator.oid, pg_namespace.oid, 'CREATE'),
      false)
  )
  select
    version,
    quote_ident(current_database()) as database,
    rolname::text as role,
    rolsuper as is_superuser,
    rolcreaterole as may_create_roles,
    rolcreaterole and is_admin as may_set_password,
    migrator.oid is not null as exists,
    (
      select coalesce(
        jsonb_agg(jsonb_build_object('line', line, 'is_needed', is_needed) order by step),
        '[]')
      from line
    ) as missing,
    format('alter role %I password ''<password>'';', migrator.name) as password_line,
    ${place} as place,
    to_char(now() + interval '5 minutes', 'YYYY-MM-DD HH24:MI:SSOF') as soon
  from self
  cross join migrator
  cross join administration`

/** Who a session is, and where; asked so that nothing that a script has made can answer. */
export const whoAndWhere = () => sql<{ role: string; place: string }>`
  select session_user::pg_catalog.text as role, ${place} as place`

/** Gives the role a password for one run; the text is the verifier that the server would keep. */
export const setPassword = (role: string, verifier: string, until: string) => sql`
  alter role ${sql.id(role)} password ${sql.trusted(`'${verifier}' valid until '${until}'`)}`
