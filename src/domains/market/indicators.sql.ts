import type { Timeframe } from '../../lib/timeframes.js'
import { sql } from '../../platform/postgres/sql.js'
import type { BarSpan } from './bar-spans.js'
import type { Series } from './bars.sql.js'

/** Makes whoever computes indicators of the same series wait until this transaction ends. */
export const claimSeries = ({ security_id, timeframe }: Series) => sql`
  insert into catalyst.bar_series as s (security_id, timeframe)
  values (${security_id}::int, ${timeframe}::text)
  on conflict (security_id, timeframe) do update
  set writes = s.writes + 1`

/** A span of changed bars with the bars around it that count for them or depend on them. */
export interface Neighbourhood {
  readonly first_ts: string
  readonly from_ts: string
  readonly until_ts: string
  /** How many bars before the span were found, at most 19. */
  readonly before: number
}

/**
 * Widens each span by 19 bars to both sides: what SMA 20 needs before the first changed bar, and what
 * depends on the last one. Bars before `since` are not looked for: PostgreSQL leaves partitions out
 * when it plans by constants only, and a plan over those of twenty years takes a tenth of a second.
 */
export const neighbourhoods = (
  { security_id, timeframe }: Series,
  spans: readonly BarSpan[],
  since: string,
) => sql<Neighbourhood>`
  select
    c.first_ts,
    coalesce(b.from_ts, c.first_ts) as from_ts,
    coalesce(a.until_ts, c.last_ts) as until_ts,
    b.n as before
  from unnest(
    ${spans.map(({ first }) => first)}::timestamptz[],
    ${spans.map(({ last }) => last)}::timestamptz[]
  ) as c (first_ts, last_ts)
  cross join lateral (
    select min(p.ts) as from_ts, count(*)::int as n
    from (
      select b.ts
      from catalyst.price_bars b
      where b.security_id = ${security_id}::int
        and b.timeframe = ${timeframe}::text
        and b.ts >= ${since}::timestamptz
        and b.ts < c.first_ts
      order by b.ts desc
      limit 19
    ) p
  ) b
  cross join lateral (
    select max(f.ts) as until_ts
    from (
      select b.ts
      from catalyst.price_bars b
      where b.security_id = ${security_id}::int
        and b.timeframe = ${timeframe}::text
        and b.ts >= ${spans[0]?.first}::timestamptz
        and b.ts > c.last_ts
      order by b.ts
      limit 19
    ) f
  ) a
  order by c.first_ts`

/**
 * The indicators of changed bars and of those after them that depend on them: one pass over the range
 * of each neighbourhood; all of them lie between the ends of the first and the last. A bar that two of
 * them share has the same values in both.
 */
const computed = ({ security_id, timeframe }: Series, around: readonly Neighbourhood[]) => sql`
  select distinct on (i.ts) ${security_id}::int, ${timeframe}::text, i.ts, i.atr_14, i.sma_20
  from unnest(
    ${around.map(({ first_ts }) => first_ts)}::timestamptz[],
    ${around.map(({ from_ts }) => from_ts)}::timestamptz[],
    ${around.map(({ until_ts }) => until_ts)}::timestamptz[]
  ) as s (first_ts, from_ts, until_ts)
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
      where b.security_id = ${security_id}::int
        and b.timeframe = ${timeframe}::text
        and b.ts between ${around[0]?.from_ts}::timestamptz and ${around.at(-1)?.until_ts}::timestamptz
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
export const saveIndicators = (series: Series, around: readonly Neighbourhood[]) => sql`
  insert into catalyst.technical_indicators as t
    (security_id, timeframe, ts, atr_14, sma_20)
  ${computed(series, around)}
  on conflict (security_id, timeframe, ts) do update
  set atr_14 = excluded.atr_14, sma_20 = excluded.sma_20
  where (t.atr_14, t.sma_20) is distinct from (excluded.atr_14, excluded.sma_20)`

/** Writes the indicators of new bars alone, and so locks none that anybody else could want to write. */
export const addIndicators = (series: Series, around: readonly Neighbourhood[]) => sql`
  insert into catalyst.technical_indicators (security_id, timeframe, ts, atr_14, sma_20)
  ${computed(series, around)}
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

/** The timeframes in which a symbol has bars. */
export const timeframesOf = (symbol: string) => sql<{ timeframe: Timeframe }>`
  select b.timeframe
  from catalyst.bar_series b
  join catalyst.securities s using (security_id)
  where s.symbol = ${symbol}::text
  order by b.timeframe`

/** The indicators of one bar; null while there are too few bars before it. */
export interface SeriesIndicator {
  readonly ts: string
  readonly atr_14: string | null
  readonly sma_20: string | null
}

/** The newest indicators of a series, the newest first. */
export const latestIndicators = (symbol: string, timeframe: Timeframe, limit: number) =>
  sql<SeriesIndicator>`
    select i.ts, i.atr_14, i.sma_20
    from catalyst.technical_indicators i
    where i.security_id = (
        select s.security_id from catalyst.securities s where s.symbol = ${symbol}::text
      )
      and i.timeframe = ${timeframe}::text
    order by i.ts desc
    limit ${limit}::int`
