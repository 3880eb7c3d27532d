import type { Timeframe } from '../../lib/timeframes.js'
import { sql } from '../../platform/postgres/sql.js'
import type { BarSpan } from './bar-spans.js'
import type { GivenBar } from './price-bars.js'

/** What bars belong to. */
export interface Series {
  readonly security_id: number
  readonly timeframe: Timeframe
}

/** A bar that was stored or got other values. */
export interface ChangedBar {
  readonly ts: string
  readonly is_new: boolean
}

const column = (bars: readonly GivenBar[], name: keyof GivenBar) => bars.map((bar) => bar[name])

/**
 * Stores bars, in order of time so that two calls cannot wait for each other. Bars that are there with
 * the same values are left out before: a conflict without an update would lock their rows as well.
 */
export const saveBars = (
  { security_id, timeframe }: Series,
  bars: readonly GivenBar[],
  { first, last }: BarSpan,
) => sql<ChangedBar>`
  with given as materialized (
    select g.ts, g.ends_at, g.open, g.high, g.low, g.close, g.volume, g.superseded
    from unnest(
      ${column(bars, 'ts')}::timestamptz[],
      ${column(bars, 'ends_at')}::timestamptz[],
      ${column(bars, 'open')}::numeric[],
      ${column(bars, 'high')}::numeric[],
      ${column(bars, 'low')}::numeric[],
      ${column(bars, 'close')}::numeric[],
      ${column(bars, 'volume')}::numeric[],
      ${column(bars, 'superseded')}::int[]
    ) as g (ts, ends_at, open, high, low, close, volume, superseded)
  ),
  saved as (
    insert into catalyst.price_bars as b
      (security_id, timeframe, ts, ends_at, open, high, low, close, volume, revision)
    select
      ${security_id}::int, ${timeframe}::text, g.ts, g.ends_at, g.open, g.high, g.low, g.close,
      g.volume, g.superseded
    from given g
    left join catalyst.price_bars k
      on k.security_id = ${security_id}::int
      and k.timeframe = ${timeframe}::text
      and k.ts = g.ts
      and k.ts between ${first}::timestamptz and ${last}::timestamptz
    where k.ts is null
      or (k.open, k.high, k.low, k.close, k.volume)
        is distinct from (g.open, g.high, g.low, g.close, g.volume)
    order by g.ts
    on conflict (security_id, timeframe, ts) do update
    set
      open = excluded.open,
      high = excluded.high,
      low = excluded.low,
      close = excluded.close,
      volume = excluded.volume,
      revision = b.revision + 1 + excluded.revision,
      recorded_at = excluded.recorded_at
    where (b.open, b.high, b.low, b.close, b.volume)
      is distinct from (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)
    returning b.ts, b.revision
  )
  -- A bar that was there has more revisions than this call has given it.
  select s.ts, s.revision = g.superseded as is_new
  from saved s
  join given g on g.ts = s.ts`
