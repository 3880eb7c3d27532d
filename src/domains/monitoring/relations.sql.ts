import { machinery, prepared, sql } from '../../platform/postgres/sql.js'

/** An index and what it costs and brings. */
interface IndexUse {
  readonly index: string
  readonly table: string
  readonly size_bytes: number
  readonly scans: number
  readonly drop_sql: string
}

/** What can be said of indexes and of the space in them. */
export interface Indexes {
  /** Since when they are counted; null is since the cluster was made. */
  readonly counted_days: number
  readonly duplicates: readonly (IndexUse & { readonly same_as: string })[]
  readonly unused: readonly IndexUse[]
  readonly missing_fk: readonly {
    readonly constraint: string
    readonly table: string
    readonly columns: readonly string[]
    readonly references: string
    readonly table_rows: number
    readonly create_sql: string
  }[]
  readonly table_bloat: readonly Bloat[]
  readonly index_bloat: readonly Bloat[]
}

/** Space that holds nothing, estimated from the widths that analyze has found. */
export interface Bloat {
  readonly object: string
  readonly size_bytes: number
  readonly bloat_bytes: number
  readonly share: number
}

/**
 * Pages that rows of the widths in pg_stats would fill, against those there are. The way of ioguix
 * (pgsql-bloat-estimation, BSD) in short: 24 bytes of page header, 27 bytes of row header with its line pointer
 * and padding, the fill factor. Null where columns have no statistics.
 */
const estimatedPages = () => sql`
  ceil(greatest(c.reltuples, 0) * (28 + 1.04 * w.width)
    / ((current_setting('block_size')::int - 24) * coalesce((
      select option_value::float8 from pg_options_to_table(c.reloptions) where option_name = 'fillfactor'), 100) / 100))`

/** The mean width of a row; null unless every column is known. */
const rowWidth = () => sql`
  select case when bool_and(p.avg_width is not null) then
      sum((1 - coalesce(p.null_frac, 0)) * p.avg_width) + max(coalesce(p.null_frac, 0)) * 8
    end as width
  from pg_attribute a
  left join pg_stats p on p.schemaname = n.nspname and p.tablename = c.relname and p.attname = a.attname
    and not p.inherited
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`

/** Of tables above 100 MB: of smaller ones nothing is gained. */
const LARGE_PAGES = 12_800

const tableBloat = () => sql`
  select
    c.oid::regclass::text as object,
    c.relpages::float8 * current_setting('block_size')::int as size_bytes,
    (c.relpages - e.pages)::float8 * current_setting('block_size')::int as bloat_bytes,
    (c.relpages - e.pages)::float8 / c.relpages as share
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (${rowWidth()}) w
  cross join lateral (select ${estimatedPages()} as pages) e
  where c.relkind in ('r', 'm') and c.relpages > ${sql.trusted(String(LARGE_PAGES))}
    and n.nspname not in ('pg_catalog', 'information_schema') and w.width is not null
  order by share desc
  limit 10`

/** B-trees fill their leaves to 90 %; entries have 12 bytes of header, pointer and padding and the widths of their columns. */
const indexBloat = () => sql`
  select
    c.oid::regclass::text as object,
    c.relpages::float8 * current_setting('block_size')::int as size_bytes,
    (c.relpages - e.pages)::float8 * current_setting('block_size')::int as bloat_bytes,
    (c.relpages - e.pages)::float8 / c.relpages as share
  from pg_class c
  join pg_index i on i.indexrelid = c.oid
  join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = t.relnamespace
  join pg_am m on m.oid = c.relam and m.amname = 'btree'
  cross join lateral (
    select case when bool_and(p.avg_width is not null) then sum(p.avg_width) end as width
    from unnest(i.indkey::int2[]) as k (attnum)
    left join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum
    left join pg_stats p on p.schemaname = n.nspname and p.tablename = t.relname and p.attname = a.attname
      and not p.inherited
  ) w
  cross join lateral (
    select ceil(greatest(c.reltuples, 0) * (16 + ceil(w.width / 8.0) * 8)
      / ((current_setting('block_size')::int - 40) * 0.9)) as pages) e
  where c.relkind = 'i' and c.relpages > ${sql.trusted(String(LARGE_PAGES))}
    and i.indexprs is null and w.width is not null
  order by share desc
  limit 10`

/** Indexes, foreign keys and space, in one statement; heavier than the catalog, and asked for less often. */
export const indexes = () =>
  prepared(
    'monitoring.indexes',
    machinery(sql<Indexes>`
  select
    extract(epoch from clock_timestamp() - coalesce(
      (select stats_reset from pg_stat_database where datname = current_database()),
      pg_postmaster_start_time()))::float8 / 86400 as counted_days,
    (select coalesce(json_agg(d), '[]') from (
      select
        x.indexrelid::regclass::text as index, x.indrelid::regclass::text as "table",
        y.indexrelid::regclass::text as same_as,
        cx.relpages::float8 * current_setting('block_size')::int as size_bytes,
        coalesce(s.idx_scan, 0)::float8 as scans,
        'drop index concurrently ' || x.indexrelid::regclass as drop_sql
      from pg_index x
      join pg_index y on y.indrelid = x.indrelid and y.indexrelid <> x.indexrelid
        and y.indkey = x.indkey and y.indclass = x.indclass and y.indcollation = x.indcollation
        and y.indoption = x.indoption and y.indnatts = x.indnatts
        and coalesce(pg_get_expr(y.indexprs, y.indrelid), '') = coalesce(pg_get_expr(x.indexprs, x.indrelid), '')
        and coalesce(pg_get_expr(y.indpred, y.indrelid), '') = coalesce(pg_get_expr(x.indpred, x.indrelid), '')
      join pg_class cx on cx.oid = x.indexrelid and cx.relkind = 'i'
      join pg_class cy on cy.oid = y.indexrelid and cy.relam = cx.relam
      join pg_namespace n on n.oid = cx.relnamespace
      left join pg_stat_all_indexes s on s.indexrelid = x.indexrelid
      where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%'
        and not x.indisreplident and x.indisvalid and y.indisvalid
        and not exists (select from pg_constraint k where k.conindid = x.indexrelid)
        -- Of a pair the one that says less goes: not unique before unique, the later before the earlier.
        and (x.indisunique, -x.indexrelid::bigint) < (y.indisunique, -y.indexrelid::bigint)
      order by size_bytes desc
      limit 20) d) as duplicates,
    (select coalesce(json_agg(u), '[]') from (
      select
        s.indexrelid::regclass::text as index, s.relid::regclass::text as "table",
        c.relpages::float8 * current_setting('block_size')::int as size_bytes,
        s.idx_scan::float8 as scans,
        'drop index concurrently ' || s.indexrelid::regclass as drop_sql
      from pg_stat_user_indexes s
      join pg_index i on i.indexrelid = s.indexrelid
      join pg_class c on c.oid = s.indexrelid and c.relkind = 'i'
      where s.idx_scan = 0 and not i.indisunique and not i.indisreplident and c.relpages > 128
        and not exists (select from pg_constraint k where k.conindid = s.indexrelid)
      order by c.relpages desc
      limit 20) u) as unused,
    (select coalesce(json_agg(f), '[]') from (
      select
        k.conname as constraint, k.conrelid::regclass::text as "table",
        k.confrelid::regclass::text as references, c.reltuples::float8 as table_rows, a.columns,
        format('create index concurrently on %s (%s)', k.conrelid::regclass,
          (select string_agg(quote_ident(x), ', ') from unnest(a.columns) as x)) as create_sql
      from pg_constraint k
      join pg_class c on c.oid = k.conrelid and c.relkind in ('r', 'p')
      join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (
        select array_agg(attname::text order by u.at) as columns
        from unnest(k.conkey) with ordinality as u (attnum, at)
        join pg_attribute t on t.attrelid = k.conrelid and t.attnum = u.attnum
      ) a
      where k.contype = 'f' and k.conparentid = 0 and c.reltuples >= 10000
        and not exists (
          select from pg_index i
          where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null
            and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
      order by c.reltuples desc
      limit 20) f) as missing_fk,
    (select coalesce(json_agg(b), '[]') from (${tableBloat()}) b) as table_bloat,
    (select coalesce(json_agg(b), '[]') from (${indexBloat()}) b) as index_bloat`),
  )

/** To ask for the size of such a table would be to wait for it. */
const exclusively = () => sql`
  select from pg_locks x
  where x.locktype = 'relation' and x.relation = c.oid and x.mode = 'AccessExclusiveLock'`

/** One table with its size and use. */
export interface TableFacts {
  readonly oid: number
  readonly name: string
  readonly size_bytes: number
  readonly heap_bytes: number
  readonly rows: number
  readonly index_hit_rate: number | null
  readonly cache_hit_rate: number | null
  readonly dead_rows: number
  readonly last_vacuum: string | null
  readonly last_analyze: string | null
  readonly sequential_scans: number
  /** Estimated; null where analyze has not seen every column. */
  readonly bloat_bytes: number | null
}

/** Tables after a size and an oid, the largest first; a partitioned table is its partitions. */
export const tables = (
  limit: number,
  after: { readonly size: string; readonly oid: string } | null,
) =>
  machinery(sql<TableFacts>`
  with sized as materialized (
    select c.oid, c.relname, n.nspname, c.relpages, c.reltuples, c.reloptions,
      case when exists (${exclusively()}) then c.relpages::bigint * current_setting('block_size')::int
        else pg_total_relation_size(c.oid) end as size
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm')
      and n.nspname not in ('pg_catalog', 'information_schema')
      and n.nspname not like 'pg_toast%' and n.nspname not like 'pg_temp%'
  ), page as materialized (
    select * from sized
    where ${after?.size ?? null}::bigint is null
      or (size, oid::bigint) < (${after?.size ?? null}::bigint, ${after?.oid ?? null}::bigint)
    order by size desc, oid::bigint desc
    limit ${limit}::int
  )
  select
    c.oid::int8 as oid,
    n.nspname || '.' || c.relname as name,
    c.size::float8 as size_bytes,
    c.relpages::float8 * current_setting('block_size')::int as heap_bytes,
    greatest(s.n_live_tup, c.reltuples::bigint, 0)::float8 as rows,
    (i.idx_blks_hit::float8 / nullif(i.idx_blks_hit + i.idx_blks_read, 0)) as index_hit_rate,
    (i.heap_blks_hit::float8 / nullif(i.heap_blks_hit + i.heap_blks_read, 0)) as cache_hit_rate,
    s.n_dead_tup::float8 as dead_rows,
    greatest(s.last_vacuum, s.last_autovacuum) as last_vacuum,
    greatest(s.last_analyze, s.last_autoanalyze) as last_analyze,
    s.seq_scan::float8 as sequential_scans,
    case when w.width is not null and c.reltuples >= 0 then
      greatest(c.relpages - ${estimatedPages()}, 0)::float8 * current_setting('block_size')::int
    end as bloat_bytes
  from page c
  join (select nspname from pg_namespace) n on n.nspname = c.nspname
  left join pg_stat_all_tables s on s.relid = c.oid
  left join pg_statio_all_tables i on i.relid = c.oid
  cross join lateral (${rowWidth()}) w
  order by c.size desc, c.oid::bigint desc`)

/** Free and dead space of a table as pgstattuple finds it, reading only pages that may have some. */
export const measuredBloat = (schema: string, oid: number) =>
  machinery(sql<{
    bloat_bytes: number
    share: number
  }>`
  select
    (approx_free_space + dead_tuple_len)::float8 as bloat_bytes,
    (approx_free_space + dead_tuple_len)::float8 / greatest(table_len, 1) as share
  from ${sql.id(schema)}.pgstattuple_approx(${oid}::oid)`)
