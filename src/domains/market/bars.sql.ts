import type { Timeframe } from '../../lib/timeframes.js'
import { sql } from '../../platform/postgres/sql.js'
import type { BarSpan } from './bar-spans.js'
import type { Bar } from './price-bars.js'

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

const column = (bars: readonly Bar[], name: keyof Bar) => bars.map((bar) => bar[name])

/**
 * Stores bars, in order of time so that two calls cannot wait for each other. Bars that are there with
 * the same values are left out before: a conflict without an update would lock their rows as well.
 */
export const saveBars = (
  { security_id, timeframe }: Series,
  bars: readonly Bar[],
  { first, last }: BarSpan,
) => sql<ChangedBar>`
  with given as (
    select g.ts, g.open, g.high, g.low, g.close, g.volume
    from unnest(
      ${column(bars, 'ts')}::timestamptz[],
      ${column(bars, 'open')}::numeric[],
      ${column(bars, 'high')}::numeric[],
      ${column(bars, 'low')}::numeric[],
      ${column(bars, 'close')}::numeric[],
      ${column(bars, 'volume')}::numeric[]
    ) as g (ts, open, high, low, close, volume)
  )
  insert into catalyst.price_bars as b
    (security_id, timeframe, ts, open, high, low, close, volume)
  select ${security_id}::int, ${timeframe}::text, g.ts, g.open, g.high, g.low, g.close, g.volume
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
    revision = b.revision + 1,
    recorded_at = excluded.recorded_at
  where (b.open, b.high, b.low, b.close, b.volume)
    is distinct from (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume)
  returning b.ts, b.revision = 0 as is_new`
