import type { Timeframe } from '../../lib/timeframes.js'
import { sql } from '../../platform/postgres/sql.js'
import type { Bar, EntryBar, LinkedPosition } from './pattern-verdict.js'

/** Which pending outcomes are meant; all where nothing is said. */
export interface PendingFilter {
  readonly pattern_types?: readonly string[] | undefined
  readonly timeframe?: Timeframe | undefined
}

// Written so that a filter nobody gave is folded away: with coalesce every detection would be read.
const isMeant = ({ pattern_types, timeframe }: PendingFilter) => sql`
  o.status = 'pending'
  and (
    ${pattern_types ?? null}::text[] is null
    or d.pattern_type = any (${pattern_types ?? null}::text[])
  )
  and (${timeframe ?? null}::text is null or d.timeframe = ${timeframe ?? null}::text)`

/** How many outcomes are pending, and the last of them. */
export const pendingPatterns = (filter: PendingFilter = {}) => sql<{
  pending: number
  last_id: number | null
}>`
  select count(*) as pending, max(o.pattern_id) as last_id
  from catalyst.pattern_outcomes o
  join catalyst.pattern_detections d using (pattern_id)
  where ${isMeant(filter)}`

/** Where a batch begins and ends, exclusive and inclusive, and what it links. */
export interface BatchRange {
  readonly after_id: number
  readonly last_id: number
  readonly limit: number
  readonly link_minutes: number
}

/** A pending outcome with the first position that was opened on it. */
export interface PendingRow {
  readonly pattern_id: number
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly direction: 'bullish' | 'bearish' | 'neutral'
  readonly detected_ms: number
  readonly price: string | null
  readonly position: LinkedPosition | null
}

/**
 * Locks the next pending outcomes, except those that somebody is telling by hand. Both sides probe an
 * index: pattern_outcomes_pending, and positions_security once per outcome.
 */
export const lockPending = (
  filter: PendingFilter,
  { after_id, last_id, limit, link_minutes }: BatchRange,
) => sql<PendingRow>`
  with batch as materialized (
    select
      o.pattern_id, d.security_id, d.timeframe, d.direction, d.detected_at, d.price
    from catalyst.pattern_outcomes o
    join catalyst.pattern_detections d using (pattern_id)
    where ${isMeant(filter)}
      and o.pattern_id > ${after_id}::bigint
      and o.pattern_id <= ${last_id}::bigint
    order by o.pattern_id
    limit ${limit}::int
    for update of o skip locked
  )
  select
    b.pattern_id,
    s.symbol,
    b.timeframe,
    b.direction,
    floor(extract(epoch from b.detected_at) * 1000)::float8 as detected_ms,
    b.price::text as price,
    p.position
  from batch b
  join catalyst.securities s using (security_id)
  left join lateral (
    select
      json_build_object(
        'position_id', p.position_id,
        'outcome', p.outcome,
        'net_return_bps', p.net_return_bps::text,
        -- Fills told out of order may close a position before its first one.
        'minutes', round(
          case when p.closed_at < b.detected_at then 0
          else extract(epoch from p.closed_at - b.detected_at) / 60 end, 3)::text
      ) as position
    from catalyst.positions p
    where p.security_id = b.security_id
      and p.opened_at >= b.detected_at
      and p.opened_at <= b.detected_at + make_interval(secs => ${link_minutes}::float8 * 60)
      and (b.direction, p.direction) in (
        ('bullish', 'long'), ('bearish', 'short'), ('neutral', 'long'), ('neutral', 'short')
      )
    order by p.opened_at, p.position_id
    limit 1
  ) p on true
  order by b.pattern_id`

/** For which pattern bars are wanted, and up to where. */
export interface BarsWanted {
  readonly pattern_id: number
  readonly bar_minutes: number
  /** Bars that began by then, or ended after now, do not count. */
  readonly until: string
}

/** The bars around a detection. */
export interface BarsRow {
  readonly pattern_id: number
  readonly entry: EntryBar | null
  readonly bars: readonly Bar[]
}

/** A bar's end counts by its length on the clock, so that no bar is taken before its time. */
export const findBars = (wanted: readonly BarsWanted[], limit: number, now: string) => sql<BarsRow>`
  select w.pattern_id, e.entry, a.bars
  from json_to_recordset(${JSON.stringify(wanted)}::json)
    as w (pattern_id bigint, bar_minutes int, until timestamptz)
  join catalyst.pattern_detections d using (pattern_id)
  cross join lateral (select make_interval(mins => w.bar_minutes) as length) l
  left join lateral (
    select b.ts, b.close
    from catalyst.price_bars b
    where b.security_id = d.security_id
      and b.timeframe = d.timeframe
      and b.ts <= d.detected_at - l.length
      and b.ts > d.detected_at - l.length - ${ENTRY_AGE}::interval
    order by b.ts desc
    limit 1
  ) b on true
  left join catalyst.technical_indicators i
    on i.security_id = d.security_id
    and i.timeframe = d.timeframe
    and i.ts = b.ts
  cross join lateral (
    select
      case when b.ts is not null then json_build_object(
        'ended_ms', extract(epoch from b.ts + l.length) * 1000,
        'close', b.close::text,
        'atr', i.atr_14::text
      ) end as entry
  ) e
  cross join lateral (
    select
      coalesce(
        json_agg(
          json_build_object(
            'ended_ms', extract(epoch from n.ts + l.length) * 1000,
            'high', n.high::text,
            'low', n.low::text,
            'close', n.close::text
          )
          order by n.ts
        ),
        '[]'
      ) as bars
    from (
      select n.ts, n.high, n.low, n.close
      from catalyst.price_bars n
      where n.security_id = d.security_id
        and n.timeframe = d.timeframe
        and n.ts >= d.detected_at
        and n.ts < w.until
        and n.ts <= ${now}::timestamptz - l.length
      order by n.ts
      limit ${limit}::int
    ) n
  ) a`

/** Keeps the search for the last bar within few partitions; a fresh one is never that old. */
const ENTRY_AGE = '31 days'

/** What became of a pending outcome, as it is stored. */
export interface VerdictRow {
  readonly pattern_id: number
  readonly status: 'resolved' | 'unresolvable'
  readonly success: boolean | null
  readonly method: 'trade' | 'price' | null
  readonly move_bps: string | null
  readonly minutes: string | null
  readonly position_id: string | null
  readonly reason: string | null
}

/** Stores what became of outcomes; their locks are held since they were found pending. */
export const saveVerdicts = (rows: readonly VerdictRow[]) => sql`
  update catalyst.pattern_outcomes o
  set
    status = v.status,
    success = v.success,
    method = v.method,
    move_bps = v.move_bps,
    minutes = v.minutes,
    position_id = v.position_id,
    reason = v.reason,
    resolved_at = clock_timestamp(),
    updated_at = clock_timestamp()
  from json_to_recordset(${JSON.stringify(rows)}::json) as v (
    pattern_id bigint, status text, success boolean, method text, move_bps numeric,
    minutes numeric, position_id text, reason text
  )
  where o.pattern_id = v.pattern_id`
