import { machinery, prepared, sql } from '../../platform/postgres/sql.js'
import type { Figures } from './series.js'

/** Takes the lease, or keeps it; no row while another server has it. */
export const holdLease = (name: string, holder: string, seconds: number) =>
  machinery(sql<{ fence: string }>`
  insert into catalyst.leases as l (name, holder, fence, expires_at)
  values (${name}::text, ${holder}::text, 1, clock_timestamp() + make_interval(secs => ${seconds}::float8))
  on conflict (name) do update
  set holder = excluded.holder,
    fence = l.fence + case when l.holder = excluded.holder then 0 else 1 end,
    expires_at = excluded.expires_at
  where l.holder = excluded.holder or l.expires_at < clock_timestamp()
  returning l.fence::text`)

/** Gives the lease up. */
export const releaseLease = (name: string, holder: string) =>
  machinery(sql`
  update catalyst.leases
  set expires_at = clock_timestamp()
  where name = ${name}::text and holder = ${holder}::text`)

/** Writes a minute, as long as the lease is held under this fence. */
export const writeMinute = (lease: string, fence: string, at: string, figures: Figures) =>
  machinery(sql`
  with held as (
    select from catalyst.leases where name = ${lease}::text and fence = ${fence}::bigint for share
  )
  insert into catalyst.metrics_1m (at, figures)
  select ${at}::timestamptz, jsonb_strip_nulls(${JSON.stringify(figures)}::jsonb) from held
  on conflict (at) do nothing`)

/** Makes the partition of a day. */
export const ensureDay = (day: string) =>
  machinery(sql<{ made: boolean }>`
  select catalyst.ensure_metrics_day(${day}::date) as made`)

/** Drops days before one, and old means. */
export const dropBefore = (day: string, meansBefore: string) =>
  machinery(sql<{ dropped: number }>`
  with old as (
    delete from catalyst.metrics_10m where at < ${meansBefore}::date
  )
  select catalyst.drop_metrics_before(${day}::date) as dropped`)

/** Means of ten minutes that are over, of those that have none yet. */
export const rollUp = () =>
  machinery(sql`
  insert into catalyst.metrics_10m (at, figures)
  select b.at, jsonb_object_agg(b.name, b.mean)
  from (
    select
      date_bin('10 minutes', m.at, '2000-01-01Z') as at,
      f.key as name,
      avg(f.value::float8) as mean
    from catalyst.metrics_1m m
    cross join jsonb_each_text(m.figures) f
    where m.at >= coalesce(
        (select max(at) + interval '10 minutes' from catalyst.metrics_10m), '-infinity')
      and m.at < date_bin('10 minutes', clock_timestamp(), '2000-01-01Z')
    group by 1, 2
  ) b
  group by b.at
  on conflict (at) do nothing`)

/** Minutes, or means of ten, from an instant on, in order. */
export const written = (table: '1m' | '10m', from: string) =>
  prepared(
    `monitoring.history.${table}`,
    machinery(sql<{ at_ms: number; figures: Figures }>`
  select extract(epoch from at)::float8 * 1000 as at_ms, figures
  from ${sql.trusted(`catalyst.metrics_${table}`)}
  where at >= ${from}::timestamptz
  order by at`),
  )
