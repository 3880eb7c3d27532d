import { sql } from '../sql.js'

/** Who reads, unless the operator names another. */
export const READER = 'catalyst_reader'

/** What only the product itself may read: what confirms, repeats and continues other callers' work. */
export const SECRETS = ['confirmations', 'idempotency_keys', 'db_sessions', 'jobs', 'audit_outbox']

/** What the role of the product is, and what it may do about the reader. */
export interface OwnerFacts {
  readonly role: string
  readonly is_superuser: boolean
  readonly reader_exists: boolean
  readonly may_create: boolean
  readonly may_set_password: boolean
  readonly place: string
  /** Five minutes from now by the clock of the server. */
  readonly soon: string
}

/** Where a session is, to be compared with another's. */
const place = sql.trusted(`
  concat(
    pg_postmaster_start_time(), ' ', (select oid from pg_database where datname = current_database())
  )`)

/** Asked as the role of the product. */
export const ownerFacts = () => sql<OwnerFacts>`
  select
    self.rolname::text as role,
    self.rolsuper as is_superuser,
    reader.oid is not null as reader_exists,
    self.rolsuper or self.rolcreaterole as may_create,
    reader.oid is not null and (
      self.rolsuper
      or self.rolcreaterole and (
        current_setting('server_version_num')::int < 160000
        or pg_has_role(self.oid, reader.oid, 'MEMBER WITH ADMIN OPTION')
      )
    ) as may_set_password,
    ${place} as place,
    to_char(now() + interval '5 minutes', 'YYYY-MM-DD HH24:MI:SSOF') as soon
  from pg_roles as self
  left join pg_roles as reader on reader.rolname = ${READER}
  where self.rolname = current_user`

/** What a role that reads is, asked as that role. */
export interface ReaderFacts {
  readonly role: string
  readonly place: string
  readonly is_superuser: boolean
  /** Why it is more than a reader should be. */
  readonly powers: readonly string[]
}

/** Asked on the reader's own connection. */
export const readerFacts = () => sql<ReaderFacts>`
  with self as (
    select * from pg_roles where rolname = session_user
  )
  select
    rolname::text as role,
    ${place} as place,
    rolsuper as is_superuser,
    array_remove(
      array[
        case when rolcreaterole then 'may create roles' end,
        case when rolreplication then 'may replicate' end,
        case when rolbypassrls then 'bypasses row security' end,
        (
          select 'is a member of ' || string_agg(mighty.rolname, ', ' order by mighty.rolname)
          from pg_roles as mighty
          where mighty.rolname ~ '^pg_(monitor|read_all_stats|read_server_files|write_server_files|execute_server_program|signal_backend|write_all_data|maintain|checkpoint)$'
            and pg_has_role(self.oid, mighty.oid, 'MEMBER')
          having count(*) > 0
        ),
        (
          select 'could write to ' || count(*) || ' tables'
          from pg_class as class
          where relkind in ('r', 'p')
            and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
            and has_table_privilege(class.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
          having count(*) > 0
        )
      ],
      null
    ) as powers
  from self`

/** A table that the reader cannot read yet and the asking role could let it read. */
export interface Withheld {
  readonly schema: string
  readonly name: string
}

/** Tables and views that belong to the asking role or to the role of migrations, but for secrets. */
export const withheld = () => sql<Withheld>`
  select nspname as schema, relname as name
  from pg_class as class
  join pg_namespace as namespace on namespace.oid = relnamespace
  where relkind in ('r', 'p', 'v', 'm')
    and nspname !~ '^pg_'
    and nspname <> 'information_schema'
    and not (nspname = 'catalyst' and relname = any (${SECRETS}::text[]))
    and pg_has_role(relowner, 'USAGE')
    and has_schema_privilege(relnamespace, 'USAGE WITH GRANT OPTION')
    and not (
      has_table_privilege(${READER}, class.oid, 'SELECT')
      and has_schema_privilege(${READER}, relnamespace, 'USAGE')
    )`

/** Lets the reader read them. */
export const grantReading = (schema: string, names: readonly string[]) => {
  const tables = names.map(
    (name) => `"${schema.replaceAll('"', '""')}"."${name.replaceAll('"', '""')}"`,
  )
  return sql`
    grant usage on schema ${sql.id(schema)} to ${sql.id(READER)};
    grant select on ${sql.trusted(tables.join(', '))} to ${sql.id(READER)}`
}

/** Makes the reader. */
export const createReader = () => sql`
  create role ${sql.id(READER)} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls`
