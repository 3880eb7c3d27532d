import { sql } from '../sql.js'
import type { Counted } from './loss.js'

/** One thing of the catalog. Everything is text, so that comparing two snapshots is comparing strings. */
export interface CatalogEntry {
  readonly kind: string
  /** By oid wherever a name may be taken over by another thing. */
  readonly id: string
  /** `kind:id` of what it belongs to: with that it is gone without being mentioned. */
  readonly parent: string | null
  readonly name: string
  /** JSON of what may not change unasked. */
  readonly state: string
}

/** Rows that the transaction has written so far, by table. */
export interface RowCounter {
  readonly oid: string
  readonly name: string
  readonly inserted: string
  readonly updated: string
  readonly deleted: string
}

/** How far a sequence is; null before its first value, or where it may not be read. */
export interface SequenceValue {
  readonly oid: string
  readonly name: string
  readonly last_value: string | null
  readonly increment_by: string
}

/** What a table's row of `pg_class` may change to without anything being lost or opened. */
const CLASS_NOISE = `array[
  'relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relfrozenxid', 'relminmxid', 'relacl',
  'relhasindex', 'relchecks', 'relnatts', 'relhasrules', 'relhastriggers', 'relhassubclass',
  'reltoastrelid', 'relispartition', 'relpartbound', 'relrewrite', 'relreplident']`

const COLUMN_NOISE = `array[
  'attstattarget', 'attcacheoff', 'attislocal', 'attinhcount', 'atthasmissing', 'attmissingval',
  'attacl', 'atthasdef', 'attcompression', 'attstorage', 'attoptions']`

const INDEX_NOISE = `array[
  'indexrelid', 'indisclustered', 'indisvalid', 'indcheckxmin', 'indisready', 'indislive',
  'indisreplident', 'indisprimary', 'indimmediate']`

/** What a constraint may change to; `not null` is told of by its column. */
const CONSTRAINT_NOISE = `array[
  'oid', 'conname', 'connamespace', 'convalidated', 'conindid', 'conparentid', 'coninhcount',
  'conislocal', 'conbin', 'conrelid', 'contypid', 'connoinherit']`

/** A stored expression or query without where it stood in a text, which PostgreSQL before 17 keeps. */
const expression = (column: string) =>
  sql.trusted(`md5(regexp_replace(${column}, ':(stmt_)?(location|len) -?[0-9]+', '', 'g'))`)

/** The product's schema and everybody's; what PostgreSQL brings along has lower numbers. */
const FIRST_OWN_OID = 16_384
const OWN = sql.trusted(String(FIRST_OWN_OID))

/** Kinds of which only being there, and staying the same, matters. */
const PLAIN: readonly (readonly [kind: string, catalog: string, name: string])[] = [
  ['operator class', 'pg_opclass', 'opcname'],
  ['operator family', 'pg_opfamily', 'opfname'],
  ['collation', 'pg_collation', 'collname'],
  ['conversion', 'pg_conversion', 'conname'],
  ['statistics object', 'pg_statistic_ext', 'stxname'],
  ['text search configuration', 'pg_ts_config', 'cfgname'],
  ['text search dictionary', 'pg_ts_dict', 'dictname'],
  ['text search parser', 'pg_ts_parser', 'prsname'],
  ['text search template', 'pg_ts_template', 'tmplname'],
  ['extension', 'pg_extension', 'extname'],
  ['language', 'pg_language', 'lanname'],
  ['transform', 'pg_transform', 'oid::text'],
  ['access method', 'pg_am', 'amname'],
  ['event trigger', 'pg_event_trigger', 'evtname'],
  ['foreign-data wrapper', 'pg_foreign_data_wrapper', 'fdwname'],
  ['foreign server', 'pg_foreign_server', 'srvname'],
  ['publication', 'pg_publication', 'pubname'],
  ['published table', 'pg_publication_rel', 'prrelid::regclass::text'],
]

/** A new table joins the log of our own backups; that opens it to nobody. */
const OUR_LOG = `select oid from pg_publication where pubname ~ '^cdb_pub_[0-9a-f]{32}$'`

const ACLS = `array['nspacl', 'relacl', 'attacl', 'proacl', 'typacl', 'lanacl', 'fdwacl', 'srvacl', 'lomacl']`

const plain = PLAIN.map(
  ([kind, catalog, name]) => `
    select '${kind}', oid::text, null, (${name})::text, (to_jsonb(entry) - ${ACLS})::text
    from ${catalog} as entry
    where oid >= ${FIRST_OWN_OID}${kind === 'published table' ? ` and prpubid not in (${OUR_LOG})` : ''}`,
).join('\n    union all')

/** User code: what is written in C came with an extension, and only a superuser can bring that. */
const IS_CODE = `prolang not in (select oid from pg_language where lanname in ('c', 'internal'))`

/**
 * Everything that a migration could lose, overwrite or open, as the catalog has it now. Definitions are
 * taken by what they say, not by how they are printed: a renamed column must not look like a new view.
 */
export const catalogEntries = () => sql<CatalogEntry>`
  with every_relation as (
    select
      class.*,
      format('%I.%I', nspname, relname) as name,
      nspname = 'catalyst' and not has_schema_privilege(namespace.oid, 'USAGE') as is_closed
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = relnamespace
    where class.oid >= ${OWN}
      and nspname !~ '^pg_(toast|temp)'
  ),
  -- Who has no right on the schema of the product can change nothing about what is in it.
  relation as (
    select * from every_relation where not is_closed
  ),
  holder (parent, name, owner, acl, letter) as (
    select 'schema:' || oid, format('schema %I', nspname), nspowner, nspacl, 'n'::"char"
    from pg_namespace
    where oid >= ${OWN} or nspname = 'public'
    union all
    select 'relation:' || oid, name, relowner, relacl, (case relkind when 'S' then 's' else 'r' end)::"char"
    from relation
    where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select
      concat('column:', attrelid, '.', attnum), format('column %I of %s', attname, name), relowner,
      attacl, 'c'
    from pg_attribute
    join relation on relation.oid = attrelid
    where attacl is not null and not attisdropped
    union all
    select 'function:' || oid, format('function %s', oid::regprocedure), proowner, proacl, 'f'
    from pg_proc
    where oid >= ${OWN}
    union all
    select 'type:' || oid, format('type %s', oid::regtype), typowner, typacl, 'T'
    from pg_type
    where oid >= ${OWN} and typtype in ('d', 'e', 'r', 'm')
    union all
    select 'large object:' || oid, 'large object ' || oid, lomowner, lomacl, 'L'
    from pg_largeobject_metadata
    union all
    select 'foreign server:' || oid, format('server %I', srvname), srvowner, srvacl, 'S'
    from pg_foreign_server
    union all
    select 'foreign-data wrapper:' || oid, format('wrapper %I', fdwname), fdwowner, fdwacl, 'F'
    from pg_foreign_data_wrapper
    union all
    select 'language:' || oid, format('language %I', lanname), lanowner, lanacl, 'l'
    from pg_language
    where lanacl is not null
    union all
    select 'database', format('database %I', datname), datdba, datacl, 'd'
    from pg_database
    where datname = current_database()
  )
  select 'schema' as kind, oid::text as id, null as parent, quote_ident(nspname)::text as name,
    jsonb_build_object('name', nspname, 'owner', nspowner,
      'of_role', exists (select from pg_roles where rolname = nspname))::text as state
  from pg_namespace
  where (oid >= ${OWN} or nspname = 'public') and nspname !~ '^pg_(toast|temp)'
  union all
  select 'relation', oid::text, 'schema:' || relnamespace, name,
    (to_jsonb(entry) - array['name', 'is_closed'] - ${sql.trusted(CLASS_NOISE)})::text
  from every_relation as entry
  where relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  union all
  select 'column', concat(attrelid, '.', attnum), 'relation:' || attrelid,
    format('%I of %s', attname, name),
    (to_jsonb(attribute) - ${sql.trusted(COLUMN_NOISE)} || jsonb_build_object(
      'relkind', relkind,
      'runs_code', exists (
        select from pg_type as type
        where type.oid = attribute.atttypid
          and type.oid >= ${OWN}
          and (type.typtype in ('c', 'r', 'm') or exists (
            select from pg_constraint
            where contypid <> 0 and contypid in (type.oid, type.typelem) and contype = 'c'
          ))
      )
    ))::text
  from pg_attribute as attribute
  join relation on relation.oid = attrelid
  where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'v', 'm', 'f', 'c')
  union all
  select 'default', concat(adrelid, '.', adnum), concat('column:', adrelid, '.', adnum),
    format('%I of %s', attname, name),
    to_jsonb(${expression('adbin::text')})::text
  from pg_attrdef
  join relation on relation.oid = adrelid
  join pg_attribute on attrelid = adrelid and attnum = adnum
  union all
  select 'constraint', concat(conrelid, '.', contypid, '.', conname),
    case when conrelid = 0 then 'type:' || contypid else 'relation:' || conrelid end,
    format('%I of %s', conname, coalesce(relation.name, contypid::regtype::text)),
    jsonb_build_object(
      'definition', concat(
        md5((to_jsonb(entry) - ${sql.trusted(CONSTRAINT_NOISE)})::text), ${expression('conbin::text')}
      ),
      'cascades', contype = 'f' and (confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd'))
    )::text
  from pg_constraint as entry
  left join relation on relation.oid = conrelid
  where entry.oid >= ${OWN}
    and contype not in ('t', 'n')
    and (conrelid = 0 or relation.oid is not null)
  union all
  select 'index', indexrelid::text, 'relation:' || indrelid,
    relation.name,
    (to_jsonb(entry) - ${sql.trusted(INDEX_NOISE)} || jsonb_build_object(
      'relname', relname,
      'of_constraint', (select conname from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
    ))::text
  from pg_index as entry
  join relation on relation.oid = indexrelid
  union all
  select 'trigger', concat(tgrelid, '.', tgname), 'relation:' || tgrelid,
    format('%I on %s', tgname, name),
    (to_jsonb(entry) - 'oid')::text
  from pg_trigger as entry
  join relation on relation.oid = tgrelid
  where not tgisinternal or tgenabled <> 'O'
  union all
  select 'rule', concat(ev_class, '.', rulename), 'relation:' || ev_class,
    format('%I on %s', rulename, name),
    to_jsonb(${expression('concat(ev_type, ev_enabled, is_instead, ev_qual, ev_action)')})::text
  from pg_rewrite
  join relation on relation.oid = ev_class
  union all
  select 'policy', concat(polrelid, '.', polname), 'relation:' || polrelid,
    format('%I on %s', polname, name),
    (to_jsonb(entry) - 'oid')::text
  from pg_policy as entry
  join relation on relation.oid = polrelid
  union all
  select 'function', entry.oid::text, 'schema:' || pronamespace, entry.oid::regprocedure::text,
    jsonb_build_object(
      'definition', md5((to_jsonb(entry) - array['proacl', 'proname', 'proowner', 'pronamespace'])::text),
      'name', proname,
      'owner', proowner,
      'namespace', pronamespace,
      'arguments', proargtypes::text,
      'definer', prosecdef,
      'is_code', ${sql.trusted(IS_CODE)},
      'shadows', exists (select from pg_proc where proname = entry.proname and oid < ${OWN})
    )::text
  from pg_proc as entry
  where entry.oid >= ${OWN}
  union all
  select 'type', entry.oid::text, 'schema:' || typnamespace, entry.oid::regtype::text,
    (to_jsonb(entry) - 'typacl' - 'typarray')::text
  from pg_type as entry
  left join pg_class as class on class.oid = typrelid
  where entry.oid >= ${OWN}
    and coalesce(relkind, 'c') = 'c'
    and not exists (select from pg_type where typarray = entry.oid)
  union all
  select 'enum value', oid::text, 'type:' || enumtypid,
    format('%L of %s', enumlabel, enumtypid::regtype),
    to_jsonb(enumlabel)::text
  from pg_enum
  union all
  select 'sequence', seqrelid::text, 'relation:' || seqrelid, relation.name, to_jsonb(entry)::text
  from pg_sequence as entry
  join relation on relation.oid = seqrelid
  union all
  select 'inheritance', concat(inhrelid, '.', inhparent), 'relation:' || inhrelid,
    format('%s from %s', name, inhparent::regclass), to_jsonb(inhdetachpending)::text
  from pg_inherits
  join relation on relation.oid = inhrelid
  where relkind not in ('i', 'I')
  union all
  select 'code', concat(classid, '.', objid, '.', refclassid, '.', refobjid),
    place.key,
    format('%s calls %s', place.name, coalesce(called.oid::regprocedure::text, operator.oid::regoperator::text)),
    'null'
  from pg_depend
  left join pg_proc as called on refclassid = 'pg_proc'::regclass and called.oid = refobjid
  left join pg_operator as operator on refclassid = 'pg_operator'::regclass and operator.oid = refobjid
  cross join lateral (
    select 'relation:' || owner.oid as key, owner.name as name
    from relation as owner
    where owner.oid = case classid
      when 'pg_attrdef'::regclass then (select adrelid from pg_attrdef where oid = objid)
      when 'pg_constraint'::regclass then (select conrelid from pg_constraint where oid = objid)
      when 'pg_class'::regclass then coalesce((select indrelid from pg_index where indexrelid = objid), objid)
      when 'pg_statistic_ext'::regclass then (select stxrelid from pg_statistic_ext where oid = objid)
    end
    union all
    select 'type:' || contypid, contypid::regtype::text
    from pg_constraint
    where classid = 'pg_constraint'::regclass and pg_constraint.oid = objid and contypid <> 0
  ) as place
  where (called.oid is not null and ${sql.trusted(IS_CODE)}) or operator.oid >= ${OWN}
  union all
  select 'operator', entry.oid::text, 'schema:' || oprnamespace, entry.oid::regoperator::text,
    jsonb_build_object('row', md5(to_jsonb(entry)::text), 'types', array[oprleft, oprright],
      'is_packaged', oprcode >= ${OWN} and not ${sql.trusted(IS_CODE)})::text
  from pg_operator as entry
  join pg_proc as proc on proc.oid = oprcode
  where entry.oid >= ${OWN}
  union all
  select 'cast', entry.oid::text, null, format('(%s as %s)', castsource::regtype, casttarget::regtype),
    jsonb_build_object('row', md5(to_jsonb(entry)::text), 'types', array[castsource, casttarget],
      'is_packaged', castfunc >= ${OWN} and not ${sql.trusted(IS_CODE)})::text
  from pg_cast as entry
  left join pg_proc as proc on proc.oid = castfunc
  where entry.oid >= ${OWN}
  union all
  select 'text search mapping', concat_ws('.', mapcfg, maptokentype, mapseqno),
    'text search configuration:' || mapcfg,
    format('of %s, token type %s', mapcfg::regconfig, maptokentype), to_jsonb(mapdict)::text
  from pg_ts_config_map
  where mapcfg >= ${OWN}
  union all
  select 'large object', oid::text, null, oid::text, (to_jsonb(entry) - 'lomacl')::text
  from pg_largeobject_metadata as entry
  union all
  select 'default right', oid::text, null,
    concat_ws(' ', 'of', defaclrole::regrole, 'on new', case defaclobjtype
      when 'r' then 'tables'
      when 'S' then 'sequences'
      when 'f' then 'functions'
      when 'T' then 'types'
      when 'n' then 'schemas'
      else 'large objects'
    end, 'in ' || nullif(defaclnamespace, 0)::regnamespace),
    to_jsonb(defaclacl::text)::text
  from pg_default_acl
  union all
  select 'user mapping', umid::text, 'foreign server:' || srvid, format('%s for %s', srvname, usename),
    to_jsonb(umoptions)::text
  from pg_user_mappings
  union all
  select 'subscription', oid::text, null, subname::text, to_jsonb(subenabled)::text
  from pg_subscription
  union all
  select 'setting', concat(setdatabase, '.', setrole), null,
    concat_ws(' in ', coalesce(nullif(setrole, 0)::regrole::text, 'everybody'), quote_ident(datname)),
    to_jsonb(setconfig)::text
  from pg_db_role_setting
  left join pg_database on pg_database.oid = setdatabase
  union all
  select 'role', rolname::text, null, rolname::text, (to_jsonb(entry) - 'rolvaliduntil')::text
  from pg_roles as entry
  where (select rolcreaterole or rolsuper from pg_roles where rolname = current_user)
  union all
  select 'membership', concat(roleid, '.', member), null,
    format('%s in %s', member::regrole, roleid::regrole), to_jsonb(admin_option)::text
  from pg_auth_members
  where (select rolcreaterole or rolsuper from pg_roles where rolname = current_user)
  union all
  select 'right', concat_ws(' ', parent, grantee, grantor, privilege_type), parent,
    format('%s on %s to %s', privilege_type, holder.name,
      case grantee when 0 then 'PUBLIC' else grantee::regrole::text end),
    jsonb_build_object('to_all', grantee = 0, 'letter', letter, 'is_grantable', is_grantable,
      'is_like', case
        when grantee <> 0 and not is_grantable and privilege_type in ('SELECT', 'INSERT', 'USAGE', 'EXECUTE')
        then concat_ws(' ', letter, owner, grantee, privilege_type)
      end,
      'opens', case
        when grantee = 0 then true
        when grantee::regrole::text = 'catalyst_reader' then false
        else not pg_has_role(grantee, owner, 'USAGE')
      end)::text
  from holder
  cross join lateral aclexplode(coalesce(acl, acldefault(letter, owner)))
  union all
  ${sql.trusted(plain)}`

/** What this transaction has written; of catalogs only those whose rows a script may not read. */
export const rowCounters = () => sql<RowCounter>`
  select
    relid::text as oid,
    case relname
      when 'pg_largeobject' then 'the large objects'
      when 'pg_authid' then 'the roles and passwords of the server'
      else format('%I.%I', schemaname, relname)
    end as name,
    n_tup_ins::text as inserted,
    n_tup_upd::text as updated,
    n_tup_del::text as deleted
  from pg_stat_xact_all_tables
  where (relid >= ${OWN} or relid in (
      'pg_largeobject'::regclass, 'pg_authid'::regclass, 'pg_auth_members'::regclass,
      'pg_db_role_setting'::regclass, 'pg_subscription'::regclass
    ))
    and schemaname !~ '^pg_(toast|temp)'
    and n_tup_ins + n_tup_upd + n_tup_del > 0`

/** How far every sequence is. Not part of any transaction, so what a script did to it stays done. */
export const sequenceValues = () => sql<SequenceValue>`
  select
    seqrelid::text as oid,
    format('%I.%I', nspname, relname) as name,
    case when has_sequence_privilege(seqrelid, 'USAGE, SELECT')
      then pg_sequence_last_value(seqrelid)
    end::text as last_value,
    seqincrement::text as increment_by
  from pg_sequence
  join pg_class as class on class.oid = seqrelid
  join pg_namespace as namespace on namespace.oid = relnamespace
  where nspname !~ '^pg_temp'`

/** Puts a sequence back to where it was. */
export const restoreSequence = (name: string, value: string | null) =>
  value === null
    ? sql`select setval(to_regclass(${name}::text), 1, false)`
    : sql`select setval(to_regclass(${name}::text), ${value}::bigint, true)`

/** Bytes of a table's storage as the transaction sees it; null when it is gone. */
export const storedBytes = (oid: string) => sql<{ bytes: string | null }>`
  select pg_relation_size(${oid}::oid::regclass)::text as bytes`

/** Whether a table, or its column, is still there. */
export const isThere = ({ relation, column }: Counted) => sql<{ present: boolean }>`
  select ${column}::text is null or exists (
    select
    from pg_attribute
    where attrelid = to_regclass(${relation}::text)
      and concat('"', replace(attname, '"', '""'), '"') = ${column}::text
      and not attisdropped
  ) as present
  where to_regclass(${relation}::text) is not null`

/** Rows of a table, or values of one of its columns, counted up to a limit. */
export const countOf = ({ relation, column }: Counted, limit: number) => {
  const what = sql.trusted(column ?? '*')
  return sql<{ rows: string }>`
    select count(${what})::text as rows
    from (
      select ${what}
      from ${sql.trusted(relation)}
      ${column === null ? sql.trusted('') : sql`where ${what} is not null`}
      limit ${sql.trusted(String(limit))}
    ) as counted`
}
