import type { Timeframe } from '../../lib/timeframes.js'
import { sql } from '../../platform/postgres/sql.js'
import type { BarSpan } from './bar-spans.js'
import type { Series } from './bars.sql.js'

/** The starts of the first and the last bar of a series. */
export interface SeriesEnds {
  readonly first_ts: string
  readonly last_ts: string
}

/**
 * Makes whoever computes indicators of the same series wait until this transaction ends, and notes
 * that its bars from the first to the last of these have changed.
 */
export const claimSeries = ({ security_id, timeframe }: Series, { first, last }: BarSpan) =>
  sql<SeriesEnds>`
    insert into catalyst.bar_series as s (
      security_id, timeframe, first_ts, last_ts, patterns_from, patterns_until, news_from, news_until)
    select ${security_id}::int, ${timeframe}::text, c.first, c.last, c.first, c.last, c.first, c.last
    from (values (${first}::timestamptz, ${last}::timestamptz)) as c (first, last)
    on conflict (security_id, timeframe) do update
    set
      writes = s.writes + 1,
      first_ts = least(s.first_ts, excluded.first_ts),
      last_ts = greatest(s.last_ts, excluded.last_ts),
      patterns_from = least(s.patterns_from, excluded.patterns_from),
      patterns_until = greatest(s.patterns_until, excluded.patterns_until),
      news_from = least(s.news_from, excluded.news_from),
      news_until = greatest(s.news_until, excluded.news_until)
    returning s.first_ts, s.last_ts`

/** Notes that indicators of a claimed series have changed up to a bar. */
export const noteIndicators = ({ security_id, timeframe }: Series, until: string) => sql`
  update catalyst.bar_series
  set patterns_until = greatest(patterns_until, ${until}::timestamptz)
  where security_id = ${security_id}::int
    and timeframe = ${timeframe}::text`

/**
 * The start of the nineteenth bar before an instant, or of the first, and how many bars lie between.
 * Bars before `since` are not looked for: PostgreSQL leaves partitions out when it plans by constants
 * only, and a plan over those of twenty years takes a tenth of a second.
 */
export const lookBack = ({ security_id, timeframe }: Series, before: string, since: string) =>
  sql<{ from_ts: string | null; bars: number }>`
    select min(p.ts) as from_ts, count(*)::int as bars
    from (
      select b.ts
      from catalyst.price_bars b
      where b.security_id = ${security_id}::int
        and b.timeframe = ${timeframe}::text
        and b.ts >= ${since}::timestamptz
        and b.ts < ${before}::timestamptz
      order by b.ts desc
      limit 19
    ) p`

/** A stretch of a series whose indicators are computed at once. */
export interface Stretch {
  /** Where the bars begin that count for the first of the stretch: nineteen before it. */
  readonly from: string
  readonly start: string
  /** Exclusive. */
  readonly end: string
  readonly limit: number
}

/** How far the computation came. */
export interface SweptRow {
  readonly bars: number
  readonly last_ts: string | null
  /** The nineteenth bar from the end, which counts for the next one; null where there are fewer. */
  readonly tail_ts: string | null
  /** The last bar has the average of ranges that was stored: so will those after it. */
  readonly is_same: boolean
  /** The last bar whose indicators were written. */
  readonly saved_ts: string | null
}

/**
 * Computes the indicators of a stretch in order of time and writes those that differ from the stored
 * ones: all of them, or only those of bars that have none, which locks no row that others may write.
 */
export const sweep = (
  { security_id, timeframe }: Series,
  { from, start, end, limit }: Stretch,
  writes: 'all' | 'new',
) => sql<SweptRow>`
  with bars as materialized (
    select n.ts, n.high, n.low, n.close
    from (
      select b.ts, b.high, b.low, b.close
      from catalyst.price_bars b
      where b.security_id = ${security_id}::int
        and b.timeframe = ${timeframe}::text
        and b.ts >= ${start}::timestamptz
        and b.ts < ${end}::timestamptz
      order by b.ts
      limit ${limit}::int
    ) n
    union all
    select b.ts, b.high, b.low, b.close
    from catalyst.price_bars b
    where b.security_id = ${security_id}::int
      and b.timeframe = ${timeframe}::text
      and b.ts >= ${from}::timestamptz
      and b.ts < ${start}::timestamptz
  ),
  ranged as (
    select
      b.ts,
      b.close,
      case when lag(b.close) over w is not null then greatest(
        b.high - b.low,
        abs(b.high - lag(b.close) over w),
        abs(b.low - lag(b.close) over w)
      ) end as true_range,
      i.ts is not null as is_known,
      i.atr_exact,
      i.sma_20
    from bars b
    left join catalyst.technical_indicators i
      on i.security_id = ${security_id}::int
      and i.timeframe = ${timeframe}::text
      and i.ts = b.ts
      and i.ts >= ${from}::timestamptz
      and i.ts < ${end}::timestamptz
    window w as (order by b.ts)
  ),
  computed as materialized (
    select
      r.ts,
      r.is_known,
      r.atr_exact as stored_atr,
      r.sma_20 as stored_sma,
      catalyst.wilder(
        r.true_range,
        case when r.ts < ${start}::timestamptz then r.atr_exact end
      ) over (order by r.ts rows unbounded preceding) as atr_exact,
      case when count(*) over w20 = 20 then round(avg(r.close) over w20, 6) end as sma_20
    from ranged r
    window w20 as (order by r.ts rows 19 preceding)
  ),
  saved as (
    insert into catalyst.technical_indicators as t
      (security_id, timeframe, ts, atr_14, atr_exact, sma_20)
    select
      ${security_id}::int, ${timeframe}::text, c.ts, round(c.atr_exact, 6), c.atr_exact, c.sma_20
    from computed c
    where c.ts >= ${start}::timestamptz
      and (
        not c.is_known
        or (
          ${writes}::text = 'all'
          and (c.atr_exact, c.sma_20) is distinct from (c.stored_atr, c.stored_sma)
        )
      )
    order by c.ts
    on conflict (security_id, timeframe, ts) ${sql.trusted(writes === 'all' ? UPDATE : 'do nothing')}
    returning t.ts
  )
  select
    count(*)::int as bars,
    max(c.ts) as last_ts,
    (array_agg(c.ts order by c.ts desc))[19] as tail_ts,
    coalesce((array_agg(
      c.is_known and c.atr_exact is not distinct from c.stored_atr order by c.ts desc
    ))[1], false) as is_same,
    (select max(s.ts) from saved s) as saved_ts
  from computed c
  where c.ts >= ${start}::timestamptz`

const UPDATE = `do update
    set
      atr_14 = excluded.atr_14,
      atr_exact = excluded.atr_exact,
      sma_20 = excluded.sma_20,
      changed_at = clock_timestamp()`

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
