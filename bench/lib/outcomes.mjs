/** Each round has a day of its own, long after the history. */
const startOf = (round) =>
  round === 'history'
    ? '2024-03-01T14:00:00Z'
    : new Date(Date.UTC(2024, 9, 1 + round, 14)).toISOString()

/** Closed positions that each cite a story, as fills would have left them. */
export const addPositions = (database, { count, round, symbols }) =>
  database.query(
    `with books as (
       insert into catalyst.position_books (account_id, security_id)
       select 'bench', security_id from catalyst.securities where symbol = any ($3::text[])
       on conflict do nothing
     ),
     stories as (
       select news_id, row_number() over (order by news_id) - 1 as place, count(*) over () as n
       from catalyst.news_articles
     )
     insert into catalyst.positions (
       position_id, account_id, security_id, direction, status, qty_open, qty_total, entry_cost,
       entry_notional, realized_pnl, opened_at, closed_at, trading_date, outcome, net_return_bps,
       entry_news_id)
     select
       'pos_' || md5($2::text || i), 'bench', s.security_id, 'long', 'closed', 0, 100, 0, 10000,
       case when i % 3 = 0 then -100 else 100 end, at.opened, at.opened + interval '30 minutes',
       at.opened::date, case when i % 3 = 0 then 'loss' else 'win' end,
       case when i % 3 = 0 then -100 else 100 end, w.news_id
     from generate_series(1, $1::int) as i
     cross join lateral (select $4::timestamptz + i * interval '1 second') as at (opened)
     join catalyst.securities s on s.symbol = ($3::text[])[1 + i % cardinality($3::text[])]
     join stories w on w.place = i % w.n`,
    [count, String(round), symbols, startOf(round)],
  )

/** Detections whose outcome the positions of the same round tell. */
export const addDetections = (database, { count, round, symbols }) =>
  database.query(
    `with added as (
       insert into catalyst.pattern_detections (
         security_id, pattern_type, timeframe, direction, confidence, bar_time, detected_at,
         has_catalyst, alignment_score)
       select
         s.security_id, 'bull_flag', '1m', 'bullish', 0.8, at.seen, at.seen, false, 0
       from generate_series(1, $1::int) as i
       cross join lateral (
         select $2::timestamptz - interval '10 minutes' + i * interval '1 second'
       ) as at (seen)
       join catalyst.securities s on s.symbol = ($3::text[])[1 + i % cardinality($3::text[])]
       returning pattern_id
     )
     insert into catalyst.pattern_outcomes (pattern_id, status)
     select pattern_id, 'pending' from added`,
    [count, startOf(round), symbols],
  )
