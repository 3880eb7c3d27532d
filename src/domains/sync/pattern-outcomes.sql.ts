import type { Timeframe } from '../../lib/timeframes.js'
import { type Statement, sql } from '../../platform/postgres/sql.js'
import type { Bar, EntryBar, LinkedPosition } from './pattern-verdict.js'

/** Which outcomes are meant; all where nothing is said. */
export interface PendingFilter {
  readonly pattern_types?: readonly string[] | undefined
  readonly timeframe?: Timeframe | undefined
}

/** Outcomes that nobody knows yet, or those of which evidence was stored after they were told. */
export type Due = 'pending' | 'reviews'

const due = (kind: Due): Statement<never> =>
  kind === 'pending'
    ? sql`catalyst.pattern_outcomes o`
    : sql`catalyst.pattern_reviews r join catalyst.pattern_outcomes o using (pattern_id)`

// Written so that a filter nobody gave is folded away: with coalesce every detection would be read.
const isMeant = (kind: Due, { pattern_types, timeframe }: PendingFilter) => sql`
  (${kind === 'reviews'}::boolean or o.status = 'pending')
  and (
    ${pattern_types ?? null}::text[] is null
    or d.pattern_type = any (${pattern_types ?? null}::text[])
  )
  and (${timeframe ?? null}::text is null or d.timeframe = ${timeframe ?? null}::text)`

/** How many outcomes are due, and the last of them. */
export const dueOutcomes = (kind: Due, filter: PendingFilter = {}) => sql<{
  outcomes: number
  last_id: number | null
}>`
  select count(*) as outcomes, max(pattern_id) as last_id
  from ${due(kind)}
  join catalyst.pattern_detections d using (pattern_id)
  where ${isMeant(kind, filter)}`

/** How long evidence of a detection may be from it: bars by their timeframe, positions in minutes. */
export interface EvidenceReach {
  readonly days: readonly { readonly timeframe: Timeframe; readonly days: number }[]
  readonly link_minutes: number
  /** How long before a detection the last bar may have begun. */
  readonly entry_days: number
}

/** Told outcomes of which evidence was stored since; `marked` are series and books with new evidence. */
const affected = (
  { days, link_minutes, entry_days }: EvidenceReach,
  marked: { readonly series: Statement<never>; readonly books: Statement<never> },
) => sql`
  select o.pattern_id
  from ${marked.series} s
  join json_to_recordset(${JSON.stringify(days)}::json) as w (timeframe text, days int)
    using (timeframe)
  join catalyst.pattern_detections d
    on d.security_id = s.security_id
    and d.timeframe = s.timeframe
    and d.detected_at between s.patterns_from - make_interval(days => w.days)
      and s.patterns_until + make_interval(days => ${entry_days}::int)
  join catalyst.pattern_outcomes o on o.pattern_id = d.pattern_id
  where o.status <> 'pending'
    and o.method is distinct from 'manual'
    and o.bars_from <= s.patterns_until
    and o.bars_until >= s.patterns_from
  union
  select o.pattern_id
  from ${marked.books} b
  join catalyst.pattern_detections d
    on d.security_id = b.security_id
    and d.detected_at between b.opened_from - make_interval(secs => ${link_minutes}::float8 * 60)
      and b.opened_until
  join catalyst.pattern_outcomes o on o.pattern_id = d.pattern_id
  where o.status <> 'pending'
    and o.method is distinct from 'manual'`

const SERIES = sql`(select * from catalyst.bar_series where patterns_from is not null)`
const BOOKS = sql`(select * from catalyst.position_books where opened_from is not null)`

/** How many told outcomes are to be told again, those noted before among them. */
export const countReviews = (reach: EvidenceReach) => sql<{ reviews: number }>`
  select count(*) as reviews
  from (
    ${affected(reach, { series: SERIES, books: BOOKS })}
    union
    select pattern_id from catalyst.pattern_reviews
  ) reviews`

/**
 * Notes the told outcomes of which evidence was stored since the last run. Series and books that
 * somebody is writing are left for the next run; `forgets` is false where the locks would last.
 */
export const noteReviews = (reach: EvidenceReach, forgets: boolean) => {
  const lock = sql.trusted(forgets ? 'for no key update skip locked' : '')
  const marked = { series: sql`series`, books: sql`books` }
  return sql`
    with series as materialized (
      select security_id, timeframe, patterns_from, patterns_until
      from catalyst.bar_series
      where patterns_from is not null
      order by security_id, timeframe
      ${lock}
    ),
    books as materialized (
      select account_id, security_id, opened_from, opened_until
      from catalyst.position_books
      where opened_from is not null
      order by account_id, security_id
      ${lock}
    ),
    forgotten_series as (
      update catalyst.bar_series t
      set patterns_from = null, patterns_until = null
      from series s
      where ${forgets}::boolean
        and (t.security_id, t.timeframe) = (s.security_id, s.timeframe)
    ),
    forgotten_books as (
      update catalyst.position_books t
      set opened_from = null, opened_until = null
      from books b
      where ${forgets}::boolean
        and (t.account_id, t.security_id) = (b.account_id, b.security_id)
    )
    insert into catalyst.pattern_reviews (pattern_id)
    ${affected(reach, marked)}
    order by pattern_id
    on conflict do nothing`
}

/** Forgets that outcomes were to be told again. */
export const endReviews = (patternIds: readonly number[]) => sql`
  delete from catalyst.pattern_reviews
  where pattern_id = any (${patternIds}::bigint[])`

/** Where a batch begins and ends, exclusive and inclusive, and what it links. */
export interface BatchRange {
  readonly after_id: number
  readonly last_id: number
  readonly limit: number
  readonly link_minutes: number
}

/** An outcome to be told, with the first position that was opened on it. */
export interface DueRow {
  readonly pattern_id: number
  readonly status: 'pending' | 'resolved' | 'unresolvable'
  readonly is_manual: boolean
  readonly symbol: string
  readonly timeframe: Timeframe
  readonly direction: 'bullish' | 'bearish' | 'neutral'
  readonly detected_ms: number
  readonly price: string | null
  readonly position: LinkedPosition | null
}

/**
 * Locks the next outcomes that are due, except those that somebody is telling by hand. Both sides
 * probe an index: pattern_outcomes_pending or the reviews, and positions_security once per outcome.
 */
export const lockDue = (
  kind: Due,
  filter: PendingFilter,
  { after_id, last_id, limit, link_minutes }: BatchRange,
) => sql<DueRow>`
  with batch as materialized (
    select
      o.pattern_id, o.status, o.method, d.security_id, d.timeframe, d.direction, d.detected_at,
      d.price
    from ${due(kind)}
    join catalyst.pattern_detections d on d.pattern_id = o.pattern_id
    where ${isMeant(kind, filter)}
      and o.pattern_id > ${after_id}::bigint
      and o.pattern_id <= ${last_id}::bigint
    order by o.pattern_id
    limit ${limit}::int
    for update of o skip locked
  )
  select
    b.pattern_id,
    b.status,
    b.method is not distinct from 'manual' as is_manual,
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

/** For which pattern bars are wanted, and between which starts, both inclusive. */
export interface BarsWanted {
  readonly pattern_id: number
  readonly from: string
  readonly until: string
}

/** The bars around a detection. */
export interface BarsRow {
  readonly pattern_id: number
  readonly entry: EntryBar | null
  readonly bars: readonly Bar[]
}

/** The last bar that had ended at a detection, and those that began after it and have ended by now. */
export const findBars = (
  wanted: readonly BarsWanted[],
  {
    limit,
    entry_days,
    now,
  }: { readonly limit: number; readonly entry_days: number; readonly now: string },
) => sql<BarsRow>`
  select w.pattern_id, e.entry, a.bars
  from json_to_recordset(${JSON.stringify(wanted)}::json)
    as w (pattern_id bigint, "from" timestamptz, until timestamptz)
  join catalyst.pattern_detections d using (pattern_id)
  left join lateral (
    select b.ts, b.ends_at, b.close
    from catalyst.price_bars b
    where b.security_id = d.security_id
      and b.timeframe = d.timeframe
      and b.ts < d.detected_at
      and b.ts > d.detected_at - make_interval(days => ${entry_days}::int)
      and b.ends_at <= d.detected_at
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
        'start_ms', extract(epoch from b.ts) * 1000,
        'ended_ms', extract(epoch from b.ends_at) * 1000,
        'close', b.close::text,
        'atr', i.atr_14::text
      ) end as entry
  ) e
  cross join lateral (
    select
      coalesce(
        json_agg(
          json_build_object(
            'start_ms', extract(epoch from n.ts) * 1000,
            'ended_ms', extract(epoch from n.ends_at) * 1000,
            'high', n.high::text,
            'low', n.low::text,
            'close', n.close::text
          )
          order by n.ts
        ),
        '[]'
      ) as bars
    from (
      select n.ts, n.ends_at, n.high, n.low, n.close
      from catalyst.price_bars n
      where n.security_id = d.security_id
        and n.timeframe = d.timeframe
        and n.ts between w."from" and w.until
        and n.ends_at <= ${now}::timestamptz
      order by n.ts
      limit ${limit}::int
    ) n
  ) a`

/** What the evidence says of an outcome, as it is stored. */
export interface VerdictRow {
  readonly pattern_id: number
  readonly status: 'pending' | 'resolved' | 'unresolvable'
  readonly success: boolean | null
  readonly method: 'trade' | 'price' | null
  readonly move_bps: string | null
  readonly minutes: string | null
  readonly position_id: string | null
  readonly reason: string | null
  readonly bars_from: string | null
  readonly bars_until: string | null
}

/** Stores what evidence says of locked outcomes; those of which it says something else than before. */
export const saveVerdicts = (rows: readonly VerdictRow[]) => sql<{ pattern_id: number }>`
  with given as materialized (
    select
      v.*,
      (o.status, o.success, o.method, o.move_bps, o.minutes, o.position_id, o.reason)
        is distinct from
        (v.status, v.success, v.method, v.move_bps, v.minutes, v.position_id, v.reason)
        as is_other
    from json_to_recordset(${JSON.stringify(rows)}::json) as v (
      pattern_id bigint, status text, success boolean, method text, move_bps numeric(32, 4),
      minutes numeric(14, 3), position_id text, reason text, bars_from timestamptz,
      bars_until timestamptz
    )
    join catalyst.pattern_outcomes o using (pattern_id)
  ),
  saved as (
    update catalyst.pattern_outcomes o
    set
      status = g.status,
      success = g.success,
      method = g.method,
      move_bps = g.move_bps,
      minutes = g.minutes,
      position_id = g.position_id,
      reason = g.reason,
      bars_from = g.bars_from,
      bars_until = g.bars_until,
      resolved_at = case
        when g.status = 'pending' then null
        when g.is_other then clock_timestamp()
        else o.resolved_at
      end,
      updated_at = case when g.is_other then clock_timestamp() else o.updated_at end
    from given g
    where o.pattern_id = g.pattern_id
      and (
        g.is_other
        or (o.bars_from, o.bars_until) is distinct from (g.bars_from, g.bars_until)
      )
  )
  select pattern_id
  from given
  where is_other
  order by pattern_id`
