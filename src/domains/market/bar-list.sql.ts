import { sql } from '../../platform/postgres/sql.js'
import type { BarFilter, BarItem } from './bars.schemas.js'

/** A bar with what tells it apart from others of its start. */
export type BarRow = BarItem & { readonly security_id: number }

/**
 * Bars, the newest first, one more than a page has: a probe of the key for the newest of each series
 * that is meant, and then the newest of those.
 */
export const listBars = (filter: BarFilter) => {
  const { symbol = null, timeframe = null, since = null, until = null, limit } = filter
  const { stored_since = null } = filter
  const [ts = null, security_id = null, last_timeframe = null] = filter.cursor ?? []
  return sql<BarRow>`
    select
      s.security_id,
      c.symbol,
      s.timeframe,
      b.ts,
      b.ends_at,
      trim_scale(b.open)::text as open,
      trim_scale(b.high)::text as high,
      trim_scale(b.low)::text as low,
      trim_scale(b.close)::text as close,
      trim_scale(b.volume)::text as volume,
      i.atr_14::text as atr_14,
      i.sma_20::text as sma_20,
      b.revision,
      b.recorded_at
    from catalyst.bar_series s
    join catalyst.securities c on c.security_id = s.security_id
    cross join lateral (
      select p.ts, p.ends_at, p.open, p.high, p.low, p.close, p.volume, p.revision, p.recorded_at
      from catalyst.price_bars p
      where p.security_id = s.security_id
        and p.timeframe = s.timeframe
        and p.ts between s.first_ts and s.last_ts
        and (${since}::timestamptz is null or p.ts >= ${since}::timestamptz)
        and (${until}::timestamptz is null or p.ts < ${until}::timestamptz)
        and (
          ${stored_since}::timestamptz is null
          or p.recorded_at >= ${stored_since}::timestamptz
          or exists (
            select
            from catalyst.technical_indicators t
            where t.security_id = p.security_id
              and t.timeframe = p.timeframe
              and t.ts = p.ts
              and t.changed_at >= ${stored_since}::timestamptz
          )
        )
        and (
          ${ts}::timestamptz is null
          or (
            p.ts <= ${ts}::timestamptz
            and (
              p.ts < ${ts}::timestamptz
              or (s.security_id, s.timeframe) > (${security_id}::int, ${last_timeframe}::text)
            )
          )
        )
      order by p.ts desc
      limit ${limit + 1}::int
    ) b
    left join catalyst.technical_indicators i
      on i.security_id = s.security_id
      and i.timeframe = s.timeframe
      and i.ts = b.ts
    where (${symbol}::text is null or c.symbol = ${symbol}::text)
      and (${timeframe}::text is null or s.timeframe = ${timeframe}::text)
    order by b.ts desc, s.security_id, s.timeframe
    limit ${limit + 1}::int`
}
