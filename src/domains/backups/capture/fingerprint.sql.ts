import { sql } from '../../../platform/postgres/sql.js'

/**
 * The schema as one SHA-256: tables, columns, keys, indexes, triggers, types, functions, views, sequences, policies and
 * extensions, by their names and definitions, so that a restored database has the same. Without owners and rights, and
 * without what is PostgreSQL's own or temporary, or says of a restored database where it came from. In pretty print:
 * a restore reads conditions anew, and then nests their parentheses otherwise. An expression; search_path must be that of our connections.
 */
export const schemaFingerprint = () =>
  sql.trusted(`(
  with own as (
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
  ),
  line (text) as (
    select format('schema %I', nspname) from own
    union all
    select format('relation %s %s %s %s %s', name, relkind, relpersistence, relreplident,
      pg_get_expr(relpartbound, relation.oid, true))
    from relation
    where relkind in ('r', 'p', 'f', 'c', 'v', 'm')
    union all
    select format('column %s %I %s %s %s %s %s', name, attname, format_type(atttypid, atttypmod),
      attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid, true))
    from relation
    join pg_attribute on attrelid = relation.oid
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relkind in ('r', 'p', 'f', 'c')
      and attnum > 0
      and not attisdropped
    union all
    select format('constraint %s %I %s', name, conname, pg_get_constraintdef(pg_constraint.oid, true))
    from pg_constraint
    join relation on relation.oid = conrelid
    where contype <> 'n'
    union all
    select format('index %s %s %s', pg_get_indexdef(indexrelid, 0, true), indisvalid, indisreplident)
    from pg_index
    join relation on relation.oid = indexrelid
    union all
    select format('trigger %s %s %s', name, tgenabled, pg_get_triggerdef(pg_trigger.oid, true))
    from pg_trigger
    join relation on relation.oid = tgrelid
    where not tgisinternal
    union all
    select format('view %s %s %s', name, ev_type, pg_get_ruledef(pg_rewrite.oid, true))
    from pg_rewrite
    join relation on relation.oid = ev_class
    union all
    select format('sequence %s %s %s %s %s %s %s', name, format_type(seqtypid, null), seqstart,
      seqincrement, seqmin, seqmax, seqcycle)
    from pg_sequence
    join relation on relation.oid = seqrelid
    union all
    select format('policy %s %I %s %s %s %s', name, polname, polcmd, polpermissive,
      pg_get_expr(polqual, polrelid, true), pg_get_expr(polwithcheck, polrelid, true))
    from pg_policy
    join relation on relation.oid = polrelid
    union all
    select format('enum %s %L %s', format_type(enumtypid, null), enumlabel,
      row_number() over (partition by enumtypid order by enumsortorder))
    from pg_enum
    union all
    select format('domain %s %s %s %s', format_type(pg_type.oid, null), format_type(typbasetype, typtypmod),
      typnotnull, typdefault)
    from pg_type
    join own on own.oid = typnamespace
    where typtype = 'd'
    union all
    select pg_get_functiondef(pg_proc.oid)
    from pg_proc
    join own on own.oid = pronamespace
    where prokind in ('f', 'p')
    union all
    select format('extension %I %s', extname, extversion) from pg_extension
  )
  select encode(sha256(convert_to(string_agg(text, E'\\n' order by text collate "C"), 'UTF8')), 'hex')
  from line
)`)
