import { sql } from '../../platform/postgres/sql.js'

/** One table or view in a few words. */
export interface TableOutline {
  readonly name: string
  readonly kind: string
  readonly rows: number | null
  readonly comment: string | null
  readonly primary_key: string[]
  readonly references: string[]
}

const kindName = sql.trusted(`
  case class.relkind
    when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
    when 'm' then 'materialized view' else 'foreign table'
  end`)

const fullName = sql.trusted(`nspname || '.' || class.relname`)

const shortComment = sql.trusted(`left(obj_description(class.oid, 'pg_class'), 120)`)

/** Estimated rows, with those of all partitions; null while nothing was counted. */
const estimatedRows = sql.trusted(`
  case class.relkind
    when 'p' then (
      select sum(part.reltuples) filter (where part.reltuples >= 0)::float8
      from pg_partition_tree(class.oid) as tree
      join pg_class as part on part.oid = tree.relid
      where part.relkind = 'r'
    )
    when 'v' then null
    else nullif(class.reltuples, -1)::float8
  end`)

const primaryKey = sql.trusted(`
  array(
    select attname::text
    from pg_index
    cross join unnest(indkey) with ordinality as key (attnum, position)
    join pg_attribute on attrelid = indrelid and pg_attribute.attnum = key.attnum
    where indrelid = class.oid and indisprimary
    order by position
  )`)

/** Every table and view but partitions and what PostgreSQL brings, the most used first. */
export const tableOutlines = (secrets: readonly string[]) => sql<TableOutline>`
  select
    ${fullName} as name,
    ${kindName} as kind,
    ${estimatedRows} as rows,
    ${shortComment} as comment,
    ${primaryKey} as primary_key,
    array(
      select distinct confrelid::regclass::text
      from pg_constraint
      where conrelid = class.oid and contype = 'f'
      order by 1
    ) as references
  from pg_class as class
  join pg_namespace on pg_namespace.oid = relnamespace
  where class.relkind in ('r', 'p', 'v', 'm', 'f')
    and not class.relispartition
    and nspname !~ '^pg_'
    and nspname <> 'information_schema'
    and not (nspname = 'catalyst' and class.relname = any (${secrets}::text[]))
    and not exists (
      select from pg_depend where classid = 'pg_class'::regclass and objid = class.oid and deptype = 'e'
    )
  order by
    (
      select coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)
      from pg_partition_tree(class.oid) as tree
      join pg_stat_all_tables as used on used.relid = tree.relid
      where class.relkind <> 'v'
    ) + (
      select coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)
      from pg_stat_all_tables as used
      where used.relid = class.oid
    ) desc,
    1
  limit 1000`

/** One table as a whole. */
export interface TableDetail extends TableOutline {
  readonly size_bytes: number | null
  readonly columns: Record<string, unknown>[]
  readonly keys: Record<string, unknown>[]
  readonly referenced_by: string[]
  readonly indexes: Record<string, unknown>[]
  readonly triggers: Record<string, unknown>[]
  readonly partitions: Record<string, unknown>[]
  readonly definition: string | null
}

/** A table by its name, with or without a schema. */
export const tableDetail = (
  name: string,
  path: readonly string[],
  secrets: readonly string[],
) => sql<TableDetail>`
  with found as (
    select class.*, nspname
    from pg_class as class
    join pg_namespace on pg_namespace.oid = relnamespace
    where class.relkind in ('r', 'p', 'v', 'm', 'f')
      and (nspname || '.' || class.relname = ${name}
        or class.relname = ${name} and nspname = any (${path}::text[]))
      and not (nspname = 'catalyst' and class.relname = any (${secrets}::text[]))
    order by nspname || '.' || class.relname = ${name} desc, array_position(${path}::text[], nspname::text)
    limit 1
  )
  select
    ${fullName} as name,
    ${kindName} as kind,
    ${estimatedRows} as rows,
    obj_description(class.oid, 'pg_class') as comment,
    ${primaryKey} as primary_key,
    array(
      select pg_get_constraintdef(oid) from pg_constraint where conrelid = class.oid and contype = 'f' order by conname
    ) as references,
    case when class.relkind in ('r', 'm', 'p') then (
      select sum(pg_total_relation_size(tree.relid))::float8
      from (
        select relid from pg_partition_tree(class.oid) where class.relkind = 'p'
        union select class.oid
      ) as tree
    ) end as size_bytes,
    (
      select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'name', attname,
        'type', format_type(atttypid, atttypmod),
        'not_null', attnotnull,
        'default', case when attgenerated = '' then pg_get_expr(adbin, adrelid) end,
        'generated', case when attgenerated <> '' then pg_get_expr(adbin, adrelid) end,
        'identity', case when attidentity <> '' then true end,
        'comment', col_description(class.oid, attnum),
        'values', (
          select jsonb_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = atttypid having count(*) > 0
        )
      )) order by attnum), '[]')
      from pg_attribute
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
      where attrelid = class.oid and attnum > 0 and not attisdropped
    ) as columns,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', conname, 'definition', pg_get_constraintdef(oid), 'valid', convalidated
      ) order by contype, conname), '[]')
      from pg_constraint
      where conrelid = class.oid and contype in ('p', 'u', 'c', 'x')
    ) as keys,
    array(
      select distinct conrelid::regclass::text
      from pg_constraint
      where confrelid = class.oid and contype = 'f' and conparentid = 0
      order by 1
    ) as referenced_by,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', relation.relname,
        'definition', pg_get_indexdef(indexrelid),
        'unique', indisunique,
        'valid', indisvalid,
        'scans', coalesce(used.idx_scan, 0),
        'size_bytes', pg_relation_size(indexrelid)
      ) order by relation.relname), '[]')
      from pg_index
      join pg_class as relation on relation.oid = indexrelid
      left join pg_stat_all_indexes as used using (indexrelid)
      where indrelid = class.oid
    ) as indexes,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', tgname, 'definition', pg_get_triggerdef(oid), 'enabled', tgenabled <> 'D'
      ) order by tgname), '[]')
      from pg_trigger
      where tgrelid = class.oid and not tgisinternal
    ) as triggers,
    (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', part.oid::regclass::text, 'bounds', pg_get_expr(part.relpartbound, part.oid),
        'rows', nullif(part.reltuples, -1)
      ) order by part.relname), '[]')
      from (
        select part.oid, part.relname, part.relpartbound, part.reltuples
        from pg_inherits
        join pg_class as part on part.oid = inhrelid
        where inhparent = class.oid
        order by part.relname desc
        limit 100
      ) as part
    ) as partitions,
    case when class.relkind in ('v', 'm') then pg_get_viewdef(class.oid, true) end as definition
  from found as class`
