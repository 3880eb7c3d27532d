import { machinery, prepared, sql } from '../../platform/postgres/sql.js'

/** A table with what vacuum and analyze have left to do. */
export interface TableWork {
  readonly table: string
  readonly size_bytes: number
  readonly live_rows: number
  readonly dead_rows: number
  readonly dead_share: number
  /** From which number of dead rows on autovacuum comes. */
  readonly vacuum_at: number
  readonly changed_rows: number
  readonly changed_share: number
  readonly analyze_at: number
  readonly planner_rows: number
  readonly autovacuum: boolean
  readonly last_vacuum: string | null
  readonly last_analyze: string | null
  readonly is_being_vacuumed: boolean
}

/** What the catalogs and the statistics of tables say. */
export interface Catalog {
  readonly db_size_bytes: number
  readonly dead_rows: number
  readonly dead: readonly TableWork[]
  readonly stale: readonly TableWork[]
  readonly frozen: readonly { readonly table: string; readonly xid_age: number }[]
  readonly sequences: readonly {
    readonly sequence: string
    readonly column: string | null
    readonly last_value: number
    readonly limit_value: number
    readonly used_share: number
  }[]
  readonly missing_partitions: readonly { readonly name: string; readonly ahead: number }[] | null
  readonly horizons: readonly {
    readonly table: string
    readonly last_partition: string
    readonly ends_at: string
    readonly seconds_left: number
    readonly width_seconds: number
  }[]
  readonly unlogged: readonly { readonly table: string; readonly size_bytes: number }[]
  readonly invalid: readonly {
    readonly index: string
    readonly table: string
    readonly size_bytes: number
    readonly is_unique: boolean
    readonly create_sql: string
  }[]
  readonly audit_bytes: number
  /** Most that any table has of dead rows, among those with enough of them; null without one. */
  readonly worst_dead_share: number | null
  readonly worst_stale_share: number | null
  readonly worst_sequence_share: number | null
}

/** A number of autovacuum as the table has it, else as the server has it. */
const option = (name: string) => sql`
  coalesce(
    (select option_value::float8 from pg_options_to_table(c.reloptions) where option_name = ${sql.trusted(`'${name}'`)}),
    current_setting(${sql.trusted(`'${name}'`)})::float8)`

/** Ordinary tables of everybody but the system, the largest workload of vacuum first. */
const work = () => sql`
  select
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "table",
    c.relpages::float8 * current_setting('block_size')::int as size_bytes,
    s.n_live_tup::float8 as live_rows,
    s.n_dead_tup::float8 as dead_rows,
    s.n_dead_tup::float8 / greatest(s.n_live_tup + s.n_dead_tup, 1) as dead_share,
    ${option('autovacuum_vacuum_threshold')}
      + ${option('autovacuum_vacuum_scale_factor')} * greatest(c.reltuples, 0) as vacuum_at,
    s.n_mod_since_analyze::float8 as changed_rows,
    s.n_mod_since_analyze::float8 / greatest(c.reltuples, 1) as changed_share,
    ${option('autovacuum_analyze_threshold')}
      + ${option('autovacuum_analyze_scale_factor')} * greatest(c.reltuples, 0) as analyze_at,
    greatest(c.reltuples, 0)::float8 as planner_rows,
    current_setting('autovacuum')::bool and current_setting('track_counts')::bool and coalesce((
      select option_value::bool from pg_options_to_table(c.reloptions)
      where option_name = 'autovacuum_enabled'), true) as autovacuum,
    greatest(s.last_vacuum, s.last_autovacuum) as last_vacuum,
    greatest(s.last_analyze, s.last_autoanalyze) as last_analyze,
    exists (select from pg_stat_progress_vacuum v where v.relid = c.oid) as is_being_vacuumed
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_stat_all_tables s on s.relid = c.oid
  where c.relkind in ('r', 'm')
    and n.nspname not in ('pg_catalog', 'information_schema')
    and n.nspname not like 'pg_toast%' and n.nspname not like 'pg_temp%'
    and (s.n_dead_tup > 10000 or s.n_mod_since_analyze > 10000)`

/** Of the sequence, or of the integer column that it fills, whichever ends first. */
const sequences = () => sql`
  select
    quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename) as sequence,
    case when a.attname is not null then
      d.refobjid::regclass::text || '.' || quote_ident(a.attname) end as "column",
    s.last_value::float8 as last_value,
    least(s.max_value, t.most)::float8 as limit_value,
    s.last_value::float8 / least(s.max_value, t.most) as used_share
  from pg_sequences s
  join pg_namespace n on n.nspname = s.schemaname
  join pg_class c on c.relnamespace = n.oid and c.relname = s.sequencename
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid
    and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i') and d.refobjsubid > 0
  left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
  cross join lateral (select case a.atttypid
    when 'int2'::regtype then 32767 when 'int4'::regtype then 2147483647
    else 9223372036854775807 end) as t (most)
  where s.increment_by > 0 and not s.cycle and s.last_value > 0
  order by used_share desc
  limit 20`

/** Partitions by time whose newest one ends soon; abandoned tables, and those that catch the rest, are not meant. */
const horizons = () => sql`
  select
    p.parent::regclass::text as "table",
    (array_agg(p.child::regclass::text order by p.till desc))[1] as last_partition,
    max(p.till) as ends_at,
    extract(epoch from max(p.till) - clock_timestamp())::float8 as seconds_left,
    (array_agg(extract(epoch from p.till - p.since)::float8 order by p.till desc))[1] as width_seconds
  from (
    select i.inhparent as parent, i.inhrelid as child, b.bound[1]::timestamptz as since, b.bound[2]::timestamptz as till
    from pg_partitioned_table t
    join pg_class pc on pc.oid = t.partrelid
    join pg_namespace n on n.oid = pc.relnamespace
    join pg_attribute a on a.attrelid = t.partrelid and a.attnum = t.partattrs[0]
    join pg_inherits i on i.inhparent = t.partrelid
    join pg_class c on c.oid = i.inhrelid
    cross join lateral regexp_match(
      pg_get_expr(c.relpartbound, c.oid),
      '^FOR VALUES FROM \\(''(\\d{4}-\\d\\d-\\d\\d[^'']*)''\\) TO \\(''(\\d{4}-\\d\\d-\\d\\d[^'']*)''\\)$') as b (bound)
    where t.partstrat = 'r' and t.partnatts = 1 and t.partdefid = 0
      and a.atttypid in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)
      and b.bound is not null
      and n.nspname <> 'catalyst'
  ) p
  group by p.parent
  having max(p.till) between clock_timestamp() - interval '60 days' and clock_timestamp() + interval '8 days'
  order by max(p.till)
  limit 20`

/** The months of the product's own tables: this one and the next. From the catalogs alone. */
const missingPartitions = () => sql`
  select
    coalesce(
      json_agg(json_build_object('name', e.name, 'ahead', e.ahead) order by e.ahead, e.name)
        filter (where i.inhrelid is null),
      '[]')
  from pg_class p
  join pg_namespace s on s.oid = p.relnamespace and s.nspname = 'catalyst'
  cross join generate_series(0, 1) as m (ahead)
  cross join lateral (
    select
      m.ahead,
      p.relname || to_char(
        date_trunc('month', now() at time zone 'UTC') + make_interval(months => m.ahead),
        '_YYYYMM') as name
  ) e
  left join pg_class c on c.relnamespace = s.oid and c.relname = e.name
  left join pg_inherits i on i.inhrelid = c.oid and i.inhparent = p.oid
  where p.relname in ('price_bars', 'technical_indicators', 'audit_log') and p.relkind = 'p'
  having count(*) > 0`

/** Not those that are being built right now. */
const invalid = () => sql`
  select
    i.indexrelid::regclass::text as index,
    i.indrelid::regclass::text as "table",
    c.relpages::float8 * current_setting('block_size')::int as size_bytes,
    i.indisunique as is_unique,
    pg_get_indexdef(i.indexrelid) as create_sql
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  where not (i.indisvalid and i.indisready)
    and c.relkind = 'i'
    and not exists (select from pg_stat_progress_create_index p where p.relid = i.indrelid)
  order by c.relpages desc
  limit 20`

/** To ask for the size of such a table would be to wait for it. */
const exclusively = () => sql`
  select from pg_locks x
  where x.locktype = 'relation' and x.relation = c.oid and x.mode = 'AccessExclusiveLock'`

/** What the catalogs say, in one statement. */
export const catalog = () =>
  prepared(
    'monitoring.catalog',
    machinery(sql<Catalog>`
  with work as materialized (${work()})
  select
    pg_database_size(current_database())::float8 as db_size_bytes,
    (select coalesce(sum(n_dead_tup), 0)::float8 from pg_stat_user_tables) as dead_rows,
    (select coalesce(json_agg(w), '[]') from (
      select * from work where dead_rows > 10000 order by dead_share desc limit 10) w) as dead,
    (select coalesce(json_agg(w), '[]') from (
      select * from work where changed_rows > 10000 order by changed_share desc limit 10) w) as stale,
    (select coalesce(json_agg(f), '[]') from (
      select c.oid::regclass::text as "table", greatest(age(c.relfrozenxid), age(t.relfrozenxid)) as xid_age
      from pg_class c
      left join pg_class t on t.oid = c.reltoastrelid
      where c.relkind in ('r', 'm', 't') and c.relfrozenxid <> '0'
      order by 2 desc limit 3) f) as frozen,
    (select coalesce(json_agg(s), '[]') from (${sequences()}) s) as sequences,
    (${missingPartitions()}) as missing_partitions,
    (select coalesce(json_agg(h), '[]') from (${horizons()}) h) as horizons,
    (select coalesce(json_agg(u), '[]') from (
      select c.oid::regclass::text as "table",
        c.relpages::float8 * current_setting('block_size')::int as size_bytes
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relpersistence = 'u' and n.nspname <> 'catalyst'
        and not exists (${exclusively()})
        and pg_relation_size(c.oid) > 0
      order by 2 desc limit 10) u) as unlogged,
    (select coalesce(json_agg(i), '[]') from (${invalid()}) i) as invalid,
    (select coalesce(sum(pg_total_relation_size(i.inhrelid)), 0)::float8
      from pg_inherits i where i.inhparent = to_regclass('catalyst.audit_log')) as audit_bytes,
    (select max(dead_share) from work where dead_rows > 10000) as worst_dead_share,
    (select max(changed_share) from work where changed_rows > 10000) as worst_stale_share,
    (select max(used_share) from (${sequences()}) s) as worst_sequence_share`),
  )
