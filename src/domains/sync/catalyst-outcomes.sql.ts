import { TIMEFRAMES, type Timeframe } from '../../lib/timeframes.js'
import { type Statement, sql } from '../../platform/postgres/sql.js'

/** What one batch of closed positions taught. */
export interface LearnedRow {
  readonly positions: number
  /** Stories whose accuracy is another one now. */
  readonly accuracy: readonly {
    readonly news_id: string
    readonly before: boolean | null
    readonly after: boolean | null
  }[]
  readonly source_ids: readonly number[]
  /** With new evidence; of no symbol when a story names no company. */
  readonly stories: readonly { readonly news_id: string; readonly symbol: string | null }[]
  readonly learned: readonly { readonly position_id: string; readonly symbol: string }[]
}

/** Shares are cut after twelve decimals: three thirds are as much as one whole. */
const accuracyOf = (win: string, loss: string): Statement<never> =>
  sql.trusted(`case sign(round((${win}) - (${loss}), 9)) when 1 then true when -1 then false end`)

/** The least share that the column can hold goes so often into one. */
const UNITS = 1_000_000_000_000

/**
 * Learns from the next closed positions, in the order in which they closed: each story that one
 * cites gets an equal share of its result, and where they do not divide, the first ones get what is left
 * (largest remainder): all shares of a result add up to it exactly. The evidence's key makes it idempotent; the index
 * positions_to_learn makes it cost what is new, not what is stored.
 */
export const learnFromPositions = (since: string | null, batchSize: number) => sql<LearnedRow>`
  with batch as materialized (
    select p.position_id, p.security_id, p.closed_at, p.outcome, p.net_return_bps, p.entry_news_id,
      p.opening_signal_id
    from catalyst.positions p
    where p.status = 'closed'
      and p.learned_at is null
      and (${since}::timestamptz is null or p.closed_at >= ${since}::timestamptz)
    order by p.closed_at, p.position_id
    limit ${batchSize}::int
  ),
  cited as materialized (
    select
      b.position_id,
      b.outcome,
      b.net_return_bps,
      c.news_id,
      count(*) over (partition by b.position_id) as stories,
      row_number() over (partition by b.position_id order by c.news_id) as place
    from batch b
    cross join lateral (
      select b.entry_news_id as news_id
      where b.entry_news_id is not null
      union
      select s.news_id
      from catalyst.signal_news s
      where s.signal_id = b.opening_signal_id
    ) c
  ),
  evidence as (
    insert into catalyst.news_outcome_evidence (
      news_id, position_id, weight, result, net_return_bps)
    select
      news_id,
      position_id,
      (${UNITS}::int8 / stories + (place <= ${UNITS}::int8 % stories)::int)::numeric(25) / ${UNITS}::int8,
      outcome,
      net_return_bps
    from cited
    order by news_id, position_id
    on conflict do nothing
    returning news_id, weight, result
  ),
  weights as materialized (
    select
      e.news_id,
      coalesce(sum(e.weight) filter (where e.result = 'win'), 0) as w_win,
      coalesce(sum(e.weight) filter (where e.result = 'loss'), 0) as w_loss,
      count(*) as n
    from evidence e
    group by e.news_id
  ),
  before as materialized (
    select w.news_id, o.was_accurate
    from weights w
    left join catalyst.news_outcomes o on o.news_id = w.news_id
  ),
  outcomes as (
    insert into catalyst.news_outcomes as o (news_id, w_win, w_loss, n_positions, was_accurate)
    select w.news_id, w.w_win, w.w_loss, w.n, ${accuracyOf('w.w_win', 'w.w_loss')}
    from weights w
    order by w.news_id
    on conflict (news_id) do update set
      w_win = o.w_win + excluded.w_win,
      w_loss = o.w_loss + excluded.w_loss,
      n_positions = o.n_positions + excluded.n_positions,
      was_accurate = ${accuracyOf('o.w_win + excluded.w_win', 'o.w_loss + excluded.w_loss')},
      as_of = clock_timestamp()
    returning o.news_id, o.was_accurate
  ),
  changes as (
    insert into catalyst.source_changes (source_id, w_win, w_loss)
    select a.source_id, sum(w.w_win), sum(w.w_loss)
    from weights w
    join catalyst.news_articles a on a.news_id = w.news_id
    group by a.source_id
    having sum(w.w_win) + sum(w.w_loss) > 0
    order by a.source_id
    returning source_id
  ),
  learned as (
    update catalyst.positions p
    set
      learned_at = clock_timestamp(),
      updated_at = clock_timestamp(),
      no_evidence_reason = case
        when not exists (select from cited c where c.position_id = p.position_id)
          then 'no story was cited when it was opened'
      end
    from batch b
    where p.position_id = b.position_id
  ),
  watermark as (
    update catalyst.sync_state s
    set watermark_at = b.closed_at, watermark_id = b.position_id
    from (
      select closed_at, position_id
      from batch
      order by closed_at desc, position_id desc
      limit 1
    ) b
    where s.sync = 'catalyst_outcomes'
      and (
        s.watermark_at is null
        or (b.closed_at, b.position_id) > (s.watermark_at, s.watermark_id)
      )
  )
  select
    (select count(*) from batch) as positions,
    coalesce((
      select json_agg(json_build_object(
        'news_id', o.news_id, 'before', b.was_accurate, 'after', o.was_accurate))
      from outcomes o
      join before b on b.news_id = o.news_id
      where o.was_accurate is distinct from b.was_accurate
    ), '[]') as accuracy,
    coalesce((select array_agg(source_id) from changes), '{}') as source_ids,
    coalesce((
      select json_agg(json_build_object('news_id', a.news_id, 'symbol', s.symbol) order by a.news_id)
      from weights w
      join catalyst.news_articles a on a.news_id = w.news_id
      left join catalyst.securities s on s.security_id = a.security_id
    ), '[]') as stories,
    coalesce((
      select json_agg(json_build_object('position_id', b.position_id, 'symbol', s.symbol)
        order by b.closed_at, b.position_id)
      from batch b
      join catalyst.securities s on s.security_id = b.security_id
    ), '[]') as learned`

/** How many closed positions have not taught anything yet. */
export const countUnlearned = (since: string | null) => sql<{ n: number }>`
  select count(*) as n
  from catalyst.positions
  where status = 'closed'
    and learned_at is null
    and (${since}::timestamptz is null or closed_at >= ${since}::timestamptz)`

/** A bar that had ended at an instant, as close to it as there is one of its timeframe. */
export interface BarNear {
  readonly timeframe: Timeframe
  /** In milliseconds since 1970. */
  readonly ended_ms: number
  readonly close: string
}

/** A story whose price moves are to be told, with the bars that could tell them. */
export interface UntoldMoveRow {
  readonly news_id: string
  readonly is_told: boolean
  readonly has_security: boolean
  readonly published_ms: number
  readonly at_publication: readonly BarNear[]
  readonly after_1h: readonly BarNear[]
  readonly after_24h: readonly BarNear[]
}

/** The last bar of each timeframe that had ended then; older than ten days it could not serve. */
const lastBars = (after: string): Statement<never> =>
  sql`
    (
      select
        coalesce(json_agg(json_build_object(
          'timeframe', tf.timeframe,
          'ended_ms', floor(extract(epoch from bar.ends_at) * 1000)::int8,
          'close', bar.close::text
        ) order by tf.place), '[]')
      from unnest(${TIMEFRAMES}::text[]) with ordinality as tf (timeframe, place)
      cross join lateral (
        select b.ends_at, b.close
        from catalyst.price_bars b
        where b.security_id = a.security_id
          and b.timeframe = tf.timeframe
          and b.ends_at <= a.published_at + ${after}::interval
          and b.ts < a.published_at + ${after}::interval
          and b.ts > a.published_at + ${after}::interval - interval '10 days'
        order by b.ts desc
        limit 1
      ) bar
    )`

/**
 * Finds the told stories near whose instants bars have changed since the last run. Series that somebody
 * is writing are left for the next run; `forgets` is false where the locks would last.
 */
export const noteNewBars = (forgets: boolean) => sql`
  with changed as materialized (
    select s.security_id, s.timeframe, s.news_from, s.news_until
    from catalyst.bar_series s
    where s.news_from is not null
    order by s.security_id, s.timeframe
    ${sql.trusted(forgets ? 'for no key update skip locked' : '')}
  ),
  forgotten as (
    update catalyst.bar_series s
    set news_from = null, news_until = null
    from changed c
    where ${forgets}::boolean
      and s.security_id = c.security_id
      and s.timeframe = c.timeframe
  )
  update catalyst.news_outcomes o
  set has_new_bars = true
  from catalyst.news_articles a
  join changed c on c.security_id = a.security_id
  where a.published_at between c.news_from - interval '1 day' and c.news_until + interval '10 days'
    and o.news_id = a.news_id
    and o.status <> 'pending'
    and not o.has_new_bars`

/** Stories whose moves are to be told, in the order of their ids; a probe for each timeframe and instant. */
export const untoldMoves = (afterId: string, limit: number) => sql<UntoldMoveRow>`
  select
    o.news_id,
    o.status <> 'pending' as is_told,
    a.security_id is not null as has_security,
    floor(extract(epoch from a.published_at) * 1000)::float8 as published_ms,
    ${lastBars('0 minutes')} as at_publication,
    ${lastBars('1 hour')} as after_1h,
    ${lastBars('24 hours')} as after_24h
  from catalyst.news_outcomes o
  join catalyst.news_articles a on a.news_id = o.news_id
  where (o.status = 'pending' or o.has_new_bars)
    and o.news_id > ${afterId}::text
  order by o.news_id
  limit ${limit}::int`

/** What the stored bars tell of a story's moves. */
export interface ToldMove {
  readonly news_id: string
  readonly status: 'pending' | 'resolved' | 'unresolvable'
  readonly move_1h: string | null
  readonly move_24h: string | null
  readonly reason: string | null
}

/** Stores what bars tell; the symbols of the stories of which it is another thing, null for none. */
export const storeMoves = (moves: readonly ToldMove[]) => sql<{
  news_id: string
  symbol: string | null
}>`
  with told as materialized (
    select m.*, a.security_id, (o.status, o.move_1h, o.move_24h, o.reason) is distinct from
      (m.status, m.move_1h, m.move_24h, m.reason) as is_other
    from json_to_recordset(${JSON.stringify(moves)}::json)
      as m (news_id text, status text, move_1h numeric(32, 4), move_24h numeric(32, 4), reason text)
    join catalyst.news_outcomes o on o.news_id = m.news_id
    join catalyst.news_articles a on a.news_id = m.news_id
  ),
  stored as (
    update catalyst.news_outcomes o
    set
      status = t.status,
      move_1h = t.move_1h,
      move_24h = t.move_24h,
      reason = t.reason,
      has_new_bars = false,
      as_of = case when t.is_other then clock_timestamp() else o.as_of end
    from told t
    where o.news_id = t.news_id
  )
  select t.news_id, s.symbol
  from told t
  left join catalyst.securities s on s.security_id = t.security_id
  where t.is_other`
