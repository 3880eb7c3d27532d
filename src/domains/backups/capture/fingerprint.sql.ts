import { sql } from '../../../platform/postgres/sql.js'

/** Written type casts, by their types; schemas and names of types may be quoted. */
const CASTS = String.raw`::("([^"]|"")+"|\w+)(\.("([^"]|"")+"|\w+))?( varying| precision)?(\(\d+(, ?-?\d+)?\))?( with(out)? time zone)?(\[\])*`

/**
 * The schema as one SHA-256: tables, columns, keys, indexes, triggers, types, functions, views, sequences, policies and
 * extensions, by their names and definitions. Without owners and rights, without what is PostgreSQL's own, an
 * extension's or temporary, or says of a restored database where it came from, and without what a dump leaves out. An
 * expression for a connection of ours: its settings are what definitions are written under.
 */
export const schemaFingerprint = () => fingerprint('definition', EXTENSIONS)

/**
 * The same, to be compared with that of a database that was restored from it: a restore reads every condition anew,
 * and PostgreSQL then writes its casts and parentheses in other places. Source texts of functions stay as they are.
 * Without extensions: which of them are missing is known.
 */
export const restorableFingerprint = () =>
  fingerprint(String.raw`regexp_replace(definition, '${CASTS}|[()\s]', '', 'g')`)

const EXTENSIONS = `
    union all
    select format('extension %I', extname), ''
    from pg_extension`

/** @param definition what counts of one */
const fingerprint = (definition: string, more = '') =>
  sql.trusted(`(
  with brought as (
    select classid, objid
    from pg_depend
    where deptype = 'e'
  ),
  own as (
    select oid, nspname
    from pg_namespace
    where nspname not in ('information_schema', 'cdb_meta')
      and nspname !~ '^pg_'
  ),
  relation as (
    select class.*, format('%I.%I', nspname, relname) as name
    from pg_class as class
    join own on own.oid = relnamespace
    where relpersistence <> 't'
      and ('pg_class'::regclass, class.oid) not in (select classid, objid from brought)
  ),
  type as (
    select pg_type.*
    from pg_type
    join own on own.oid = typnamespace
    where ('pg_type'::regclass, pg_type.oid) not in (select classid, objid from brought)
  ),
  line (definition, source) as (
    select format('schema %I', nspname), ''
    from own
    where ('pg_namespace'::regclass, oid) not in (select classid, objid from brought)
    union all
    select format('relation %s %s %s %s %s', name, relkind, relpersistence, relreplident,
      pg_get_expr(relpartbound, relation.oid, true)), ''
    from relation
    where relkind in ('r', 'p', 'f', 'c', 'v', 'm')
    union all
    select format('column %s %I %s %s %s %s %s', name, attname, format_type(atttypid, atttypmod),
      attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid, true)), ''
    from relation
    join pg_attribute on attrelid = relation.oid
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relkind in ('r', 'p', 'f', 'c')
      and attnum > 0
      and not attisdropped
    union all
    select format('constraint %s %I %s', name, conname, pg_get_constraintdef(pg_constraint.oid, true)), ''
    from pg_constraint
    join relation on relation.oid = conrelid
    -- Those that a foreign key makes for partitions have names of the moment.
    where contype <> 'n'
      and not (contype = 'f' and conparentid <> 0)
    union all
    select format('index %s %s %s', pg_get_indexdef(indexrelid, 0, true), indisvalid, indisreplident), ''
    from pg_index
    join relation on relation.oid = indexrelid
    where indisvalid or relkind = 'I'
    union all
    select format('trigger %s %s %s', name, tgenabled, pg_get_triggerdef(pg_trigger.oid, true)), ''
    from pg_trigger
    join relation on relation.oid = tgrelid
    where not tgisinternal
    union all
    select format('view %s %s %s', name, ev_type, pg_get_ruledef(pg_rewrite.oid, true)), ''
    from pg_rewrite
    join relation on relation.oid = ev_class
    union all
    select format('sequence %s %s %s %s %s %s %s', name, format_type(seqtypid, null), seqstart,
      seqincrement, seqmin, seqmax, seqcycle), ''
    from pg_sequence
    join relation on relation.oid = seqrelid
    union all
    select format('policy %s %I %s %s %s %s', name, polname, polcmd, polpermissive,
      pg_get_expr(polqual, polrelid, true), pg_get_expr(polwithcheck, polrelid, true)), ''
    from pg_policy
    join relation on relation.oid = polrelid
    union all
    select format('enum %s %L %s', enumtypid::regtype, enumlabel,
      row_number() over (partition by enumtypid order by enumsortorder)), ''
    from pg_enum
    join type on type.oid = enumtypid
    union all
    select format('domain %s %s %s %s', type.oid::regtype, format_type(typbasetype, typtypmod), typnotnull,
      pg_get_expr(typdefaultbin, 'pg_type'::regclass, true)), ''
    from type
    where typtype = 'd'
    union all
    select format('constraint %s %I %s', type.oid::regtype, conname, pg_get_constraintdef(pg_constraint.oid, true)), ''
    from pg_constraint
    join type on type.oid = contypid
    where contype <> 'n'
    union all
    select pg_get_functiondef(pg_proc.oid), prosrc
    from pg_proc
    join own on own.oid = pronamespace
    where prokind in ('f', 'p')
      and ('pg_proc'::regclass, pg_proc.oid) not in (select classid, objid from brought)
    ${more}
  ),
  text (line) as (
    select concat(${definition}, source) from line
  )
  select encode(sha256(convert_to(string_agg(line, E'\\n' order by line collate "C"), 'UTF8')), 'hex')
  from text
)`)
