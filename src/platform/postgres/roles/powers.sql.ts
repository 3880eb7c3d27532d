import { sql } from '../sql.js'

/** Something that the role of scripts could do and must not, and the line that takes it away. */
export interface Power {
  readonly power: string
  readonly mend: string
}

/** Since 15 the right to set a parameter may be granted. */
const parameters = sql.trusted(`
  union all
  select 0, paracl, 'parameter', format('parameter %I', parname)
  from pg_parameter_acl`)

/**
 * What a role could do that no script of a client may: by its own attributes, by what it owns or was
 * granted, and as a member of others, whether it inherits from them or has to become them. `owner` is
 * whom the mending lines hand things to. Any role may ask this of any other; to be run where names lead
 * to the catalog only.
 */
export const powersOf = (role: string, owner: string, version: number) => sql<Power>`
  with self as (
    select * from pg_roles where rolname = ${role}::name
  ),
  -- What PostgreSQL gave to nobody, or not to everybody, and what is ours.
  kept (id, acl, kind, name) as (
    select proc.oid, proacl, 'function', format('function %s', proc.oid::regprocedure)
    from pg_init_privs as initial
    join pg_proc as proc on proc.oid = objoid
    where classoid = 'pg_proc'::regclass
      and not exists (select from aclexplode(initprivs) where grantee = 0)
    union all
    select class.oid, relacl, 'table', class.oid::regclass::text
    from pg_init_privs as initial
    join pg_class as class on class.oid = objoid
    where classoid = 'pg_class'::regclass
      and objsubid = 0
      and not exists (select from aclexplode(initprivs) where grantee = 0)
    union all
    select oid, nspacl, 'schema', 'schema catalyst'
    from pg_namespace
    where nspname = 'catalyst'
    union all
    select class.oid, acl, 'ours', 'all tables in schema catalyst'
    from pg_class as class
    cross join lateral (
      select relacl where relkind <> 'S'
      union all
      select attacl from pg_attribute where attrelid = class.oid and attacl is not null
    ) as given (acl)
    where relnamespace = to_regnamespace('catalyst')
    union all
    select oid, relacl, 'ours', 'all sequences in schema catalyst'
    from pg_class
    where relnamespace = to_regnamespace('catalyst') and relkind = 'S'
    ${version >= 150_000 ? parameters : sql.trusted('')}
  ),
  owned (owner, line, what) as (
    select datdba, format('database %I', datname), 'this database'
    from pg_database
    where datname = current_database()
    union all
    select nspowner, 'schema catalyst', 'the schema catalyst'
    from pg_namespace
    where nspname = 'catalyst'
    union all
    select relowner, format('table %s', class.oid::regclass), 'part of the schema catalyst'
    from pg_class as class
    where relnamespace = to_regnamespace('catalyst') and relkind in ('r', 'p', 'v', 'm', 'S')
    union all
    select proowner, format('routine %s', oid::regprocedure), 'part of the schema catalyst'
    from pg_proc
    where pronamespace = to_regnamespace('catalyst')
  ),
  given as (
    select distinct
      grantee,
      case when kind = 'ours' then 'all' else lower(privilege_type) end as privilege,
      kind,
      name
    from kept
    cross join lateral aclexplode(acl)
    where grantee in (0, (select oid from self))
      or grantee in (select roleid from pg_auth_members)
  ),
  attribute (holder, name, has) as (
    select oid, unnest(array['superuser', 'createrole', 'createdb', 'replication', 'bypassrls']),
      unnest(array[rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls])
    from pg_roles
  ),
  -- Roles that a script must not be able to become, but the one that is asked about.
  mighty (id, why) as (
    select holder, name from attribute where has
    union all
    select oid, 'comes with PostgreSQL'
    from pg_roles
    where oid < 16384 and rolname ~ '^pg_' and rolname <> 'pg_database_owner'
    union all
    select owner, 'owns ' || what from owned
    union all
    select grantee, privilege || ' on ' || name from given where grantee <> 0
  ),
  plain as (
    select * from self where not rolsuper
  )
  select 'it has ' || upper(name) as power,
    format('alter role %I no%s;', rolname, name) as mend
  from self
  join attribute on holder = oid
  where has and (name = 'superuser' or not rolsuper)
  union all
  select format('it is a member of %I (%s)', through.rolname,
      array_to_string((array_agg(distinct why order by why desc))[:3], ', ')),
    format('revoke %I from %I%s;', through.rolname, plain.rolname,
      case when ${version}::integer >= 160000 then format(' granted by %I', grantor.rolname) end)
  from plain
  join pg_auth_members on member = plain.oid
  join pg_roles as through on through.oid = roleid
  join pg_roles as grantor on grantor.oid = grantor
  join mighty on pg_has_role(roleid, mighty.id, 'MEMBER')
  group by through.oid, through.rolname, plain.rolname, grantor.rolname
  union all
  select distinct 'it owns ' || what, format('alter %s owner to %I;', line, ${owner}::name)
  from plain
  join owned on owner = plain.oid
  union all
  select format('%s has %s on %s', case grantee when 0 then 'everybody' else 'it' end,
      case kind when 'ours' then 'rights' else upper(privilege) end, name),
    format('revoke %s on %s from %s;', privilege, name,
      case grantee when 0 then 'public' else quote_ident(rolname) end)
  from plain
  join given on grantee in (0, oid)
  union all
  select 'nothing is known of it', 'create it first'
  where not exists (select from self)`
