import { sql } from '../../platform/postgres/sql.js'
import type { BarSpan } from './bar-spans.js'
import type { Series } from './bars.sql.js'

/** Makes whoever computes indicators of the same series wait until this transaction ends. */
export const claimSeries = ({ security_id, timeframe }: Series) => sql`
  insert into catalyst.bar_series as s (security_id, timeframe)
  values (${security_id}::int, ${timeframe}::text)
  on conflict (security_id, timeframe) do update
  set writes = s.writes + 1`

/**
 * The indicators of changed bars and of those after them that depend on them. Each span is widened by
 * 19 bars to both sides, what SMA 20 needs before the first changed bar and what depends on the last
 * one, and computed in one pass over that range of the primary key. A bar that two widened spans share
 * has the same values in both.
 */
const computed = ({ security_id, timeframe }: Series, spans: readonly BarSpan[]) => sql`
  with series as (
    select ${security_id}::int as security_id, ${timeframe}::text as timeframe
  ),
  spans as (
    select
      s.security_id,
      s.timeframe,
      c.first_ts,
      coalesce((
        select b.ts
        from catalyst.price_bars b
        where b.security_id = s.security_id and b.timeframe = s.timeframe and b.ts < c.first_ts
        order by b.ts desc
        offset 18
        limit 1
      ), '-infinity') as from_ts,
      coalesce((
        select b.ts
        from catalyst.price_bars b
        where b.security_id = s.security_id and b.timeframe = s.timeframe and b.ts > c.last_ts
        order by b.ts
        offset 18
        limit 1
      ), 'infinity') as until_ts
    from series s
    cross join unnest(
      ${spans.map(({ first }) => first)}::timestamptz[],
      ${spans.map(({ last }) => last)}::timestamptz[]
    ) as c (first_ts, last_ts)
  )
  select distinct on (i.ts) s.security_id, s.timeframe, i.ts, i.atr_14, i.sma_20
  from spans s
  cross join lateral (
    select
      r.ts,
      case when count(r.true_range) over w14 = 14 then round(avg(r.true_range) over w14, 6) end
        as atr_14,
      case when count(*) over w20 = 20 then round(avg(r.close) over w20, 6) end as sma_20
    from (
      select
        b.ts,
        b.close,
        case when lag(b.close) over w is not null then greatest(
          b.high - b.low,
          abs(b.high - lag(b.close) over w),
          abs(b.low - lag(b.close) over w)
        ) end as true_range
      from catalyst.price_bars b
      where b.security_id = s.security_id
        and b.timeframe = s.timeframe
        and b.ts between s.from_ts and s.until_ts
      window w as (order by b.ts)
    ) r
    window
      w14 as (order by r.ts rows 13 preceding),
      w20 as (order by r.ts rows 19 preceding)
  ) i
  where i.ts >= s.first_ts
  order by i.ts`

/** Writes the indicators that changed bars have changed. */
export const saveIndicators = (series: Series, spans: readonly BarSpan[]) => sql`
  insert into catalyst.technical_indicators as t
    (security_id, timeframe, ts, atr_14, sma_20)
  ${computed(series, spans)}
  on conflict (security_id, timeframe, ts) do update
  set atr_14 = excluded.atr_14, sma_20 = excluded.sma_20
  where (t.atr_14, t.sma_20) is distinct from (excluded.atr_14, excluded.sma_20)`

/** Writes the indicators of new bars alone, and so locks none that anybody else could want to write. */
export const addIndicators = (series: Series, spans: readonly BarSpan[]) => sql`
  insert into catalyst.technical_indicators (security_id, timeframe, ts, atr_14, sma_20)
  ${computed(series, spans)}
  on conflict (security_id, timeframe, ts) do nothing`

/** A span that the end of a transaction is to compute indicators for. */
export interface HeldSpan extends Series {
  readonly first_ts: string
  readonly last_ts: string
}

/** Leaves spans for the end of the transaction. */
export const holdSpans = ({ security_id, timeframe }: Series, spans: readonly BarSpan[]) => sql`
  insert into catalyst.price_bars_held (security_id, timeframe, first_ts, last_ts)
  select ${security_id}::int, ${timeframe}::text, c.first_ts, c.last_ts
  from unnest(
    ${spans.map(({ first }) => first)}::timestamptz[],
    ${spans.map(({ last }) => last)}::timestamptz[]
  ) as c (first_ts, last_ts)`

/** Takes what this transaction has left; the rows of others are not to be seen. */
export const takeSpans = () => sql<HeldSpan>`
  with taken as (
    delete from catalyst.price_bars_held
    returning security_id, timeframe, first_ts, last_ts
  )
  select t.security_id, t.timeframe, t.first_ts, t.last_ts
  from taken t
  order by t.security_id, t.timeframe, t.first_ts`
