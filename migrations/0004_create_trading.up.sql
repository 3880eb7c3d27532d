-- description: Trading: signals with their evidence, fills, positions built from fills, pattern detections and outcomes.

-- Registered when first seen, like securities, so that a new scanner needs no migration.
create table catalyst.pattern_types (
  pattern_type text collate "C" primary key check (pattern_type ~ '^[a-z0-9][a-z0-9_]{0,63}$'),
  direction text not null default 'neutral' check (direction in ('bullish', 'bearish', 'neutral')),
  origin text not null default 'client' check (origin in ('seed', 'client')),
  created_at timestamptz not null default now()
);

-- One row per account that was ever sent a signal to enter: whoever judges an entry updates it first, so
-- that two of them count each other, and one whose snapshot is older than the other's commit is refused.
create table catalyst.trading_accounts (
  account_id text collate "C" primary key
    check (account_id ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$'),
  entries bigint not null default 1 check (entries >= 1)
);

create table catalyst.trading_signals (
  signal_id text collate "C" primary key check (signal_id ~ '^sig_[0-9a-f]{32}$'),
  account_id text collate "C" not null
    check (account_id ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$'),
  security_id integer not null references catalyst.securities,
  signal_type text not null check (signal_type in ('BUY', 'SELL', 'HOLD')),
  intent text not null check (intent in ('entry', 'exit', 'none')),
  confidence numeric(5, 4) not null check (confidence between 0 and 1),
  catalyst_type text check (length(catalyst_type) between 1 and 100),
  catalyst_score numeric(6, 3) check (catalyst_score between 0 and 100),
  catalyst_context jsonb not null,
  technical_context jsonb not null,
  entry_price numeric(18, 6) check (entry_price > 0),
  atr numeric(18, 6) check (atr > 0),
  stop_price numeric(18, 6) check (stop_price > 0),
  target_1 numeric(18, 6) check (target_1 > 0),
  target_2 numeric(18, 6) check (target_2 > 0),
  -- Its size; null where it has none or that is unknown.
  shares numeric check (shares >= 0),
  risk_parameters jsonb not null,
  status text not null default 'pending'
    check (status in ('pending', 'executed', 'expired', 'cancelled', 'rejected')),
  -- Why it was rejected, in the server's words.
  reasons text[] not null default '{}',
  -- Why a client changed the status, in the client's words.
  status_reason text check (length(status_reason) <= 1000),
  market_state text not null
    check (market_state in ('pre-market', 'regular', 'after-hours', 'closed', 'weekend')),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  check (expires_at > created_at),
  check (status <> 'rejected' or cardinality(reasons) > 0),
  -- A stop on the wrong side is a market order in disguise.
  check (
    signal_type = 'HOLD'
    or entry_price is null
    or (
      signal_type = 'BUY'
      and coalesce(stop_price < entry_price, true)
      and coalesce(target_1 > entry_price, true)
      and coalesce(target_2 > entry_price, true)
    )
    or (
      signal_type = 'SELL'
      and coalesce(stop_price > entry_price, true)
      and coalesce(target_1 < entry_price, true)
      and coalesce(target_2 < entry_price, true)
    )
  )
);
create index trading_signals_security on catalyst.trading_signals (security_id, created_at desc);
create index trading_signals_created on catalyst.trading_signals (created_at desc, signal_id desc);
create index trading_signals_pending
  on catalyst.trading_signals (confidence desc) where status = 'pending';
-- Entries that hold a place among the positions of their account.
create index trading_signals_entries
  on catalyst.trading_signals (account_id, expires_at) where status = 'pending' and intent = 'entry';
create index trading_signals_account on catalyst.trading_signals (account_id, created_at desc);
create index trading_signals_due on catalyst.trading_signals (expires_at) where status = 'pending';

create table catalyst.signal_news (
  signal_id text collate "C" not null references catalyst.trading_signals,
  news_id text collate "C" not null references catalyst.news_articles on delete restrict,
  primary key (signal_id, news_id)
);
create index signal_news_news on catalyst.signal_news (news_id);

create table catalyst.pattern_detections (
  pattern_id bigint generated always as identity primary key,
  security_id integer not null references catalyst.securities,
  pattern_type text collate "C" not null references catalyst.pattern_types,
  timeframe text not null check (timeframe in (
    '1m', '2m', '3m', '5m', '10m', '15m', '30m', '1h', '2h', '4h', '1d', '1w')),
  direction text not null check (direction in ('bullish', 'bearish', 'neutral')),
  confidence numeric(5, 4) not null check (confidence between 0 and 1),
  -- The start of the bar in which it was detected: one detection per bar, however often it is sent.
  bar_time timestamptz not null,
  detected_at timestamptz not null check (detected_at >= bar_time),
  has_catalyst boolean not null,
  catalyst_type text check (length(catalyst_type) between 1 and 100 and catalyst_type <> 'none'),
  -- What statistics are kept by.
  catalyst text not null generated always as (
    case when has_catalyst then coalesce(catalyst_type, 'unspecified') else 'none' end) stored,
  alignment_score numeric(5, 4) not null check (alignment_score between -1 and 1),
  price numeric(18, 6) check (price > 0),
  metadata jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  unique (security_id, pattern_type, timeframe, bar_time),
  check (has_catalyst or (catalyst_type is null and alignment_score = 0))
);
create index pattern_detections_detected on catalyst.pattern_detections (security_id, detected_at desc);
create index pattern_detections_newest
  on catalyst.pattern_detections (detected_at desc, pattern_id desc);
create index pattern_detections_type
  on catalyst.pattern_detections (pattern_type, timeframe, detected_at desc);

create table catalyst.signal_patterns (
  signal_id text collate "C" not null references catalyst.trading_signals,
  pattern_type text collate "C" not null references catalyst.pattern_types,
  pattern_id bigint references catalyst.pattern_detections,
  primary key (signal_id, pattern_type)
);
create index signal_patterns_pattern
  on catalyst.signal_patterns (pattern_id) where pattern_id is not null;
create index signal_patterns_type on catalyst.signal_patterns (pattern_type);

-- One row per account and security that ever traded: what writers of a position lock, also when no
-- position is open.
create table catalyst.position_books (
  account_id text collate "C" not null
    check (account_id ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$'),
  security_id integer not null references catalyst.securities,
  last_fill_time timestamptz,
  fills bigint not null default 0 check (fills >= 0),
  -- Positions were opened or enlarged between these since outcomes of patterns were last told from
  -- them; null where none were.
  opened_from timestamptz,
  opened_until timestamptz,
  primary key (account_id, security_id)
);
create index position_books_security on catalyst.position_books (security_id);

create table catalyst.trade_executions (
  trade_id text collate "C" primary key check (trade_id ~ '^trd_[0-9a-f]{32}$'),
  account_id text collate "C" not null,
  -- The broker's own id of the fill. Two fills without one are two fills.
  execution_id text collate "C" check (length(execution_id) between 1 and 200),
  -- The broker's own id of the order: its fills are one trade.
  order_id text collate "C" check (length(order_id) between 1 and 200),
  signal_id text collate "C" references catalyst.trading_signals,
  security_id integer not null references catalyst.securities,
  side text not null check (side in ('buy', 'sell')),
  quantity numeric(18, 6) not null check (quantity > 0),
  order_type text not null check (order_type in ('market', 'limit')),
  fill_price numeric(18, 6) not null check (fill_price > 0),
  -- Negative when the venue pays a rebate.
  fees numeric(20, 6) not null default 0,
  fill_time timestamptz not null,
  entry_catalyst text check (length(entry_catalyst) between 1 and 200),
  entry_news_id text collate "C" references catalyst.news_articles on delete restrict,
  -- Filled before a fill that had been recorded already.
  is_late boolean not null default false,
  -- The order in which fills of an account and security were applied.
  applied_seq bigint not null check (applied_seq > 0),
  -- What was answered about it: the same is answered when it is sent again.
  answered jsonb not null,
  recorded_at timestamptz not null default clock_timestamp(),
  unique (account_id, execution_id),
  unique (account_id, security_id, applied_seq),
  foreign key (account_id, security_id) references catalyst.position_books,
  check (fill_time <= recorded_at + interval '5 minutes')
);
create index trade_executions_security on catalyst.trade_executions (security_id, fill_time desc);
create index trade_executions_time on catalyst.trade_executions (fill_time desc, trade_id desc);
create index trade_executions_account on catalyst.trade_executions (account_id, fill_time desc);
create index trade_executions_signal
  on catalyst.trade_executions (signal_id) where signal_id is not null;
create index trade_executions_news
  on catalyst.trade_executions (entry_news_id) where entry_news_id is not null;

create table catalyst.positions (
  position_id text collate "C" primary key check (position_id ~ '^pos_[0-9a-f]{32}$'),
  account_id text collate "C" not null,
  security_id integer not null,
  direction text not null check (direction in ('long', 'short')),
  status text not null default 'open' check (status in ('open', 'closed')),
  qty_open numeric(24, 6) not null check (qty_open >= 0),
  -- What the open quantity was filled for, and all that was ever opened. Products of a quantity and a
  -- price have twelve decimals; the average is derived, so that no cash is lost to its rounding. All
  -- are wide enough for thousands of the largest fills: a fill is a fact, and must not be lost.
  entry_cost numeric(48, 12) not null check (entry_cost >= 0),
  entry_notional numeric(48, 12) not null check (entry_notional > 0),
  qty_total numeric(24, 6) not null check (qty_total > 0),
  realized_pnl numeric(48, 12) not null default 0,
  fees numeric(30, 6) not null default 0,
  opened_at timestamptz not null,
  closed_at timestamptz,
  -- The New York day on which it was opened.
  trading_date date not null,
  outcome text check (outcome in ('win', 'loss', 'scratch')),
  -- Wide enough for the greatest fees on the least notional.
  net_return_bps numeric(48, 4),
  exit_reason text check (length(exit_reason) <= 200),
  opening_signal_id text collate "C" references catalyst.trading_signals,
  entry_catalyst text check (length(entry_catalyst) between 1 and 200),
  entry_news_id text collate "C" references catalyst.news_articles on delete restrict,
  -- When sync_catalyst_outcomes has drawn its lesson, and why there was none to draw.
  learned_at timestamptz,
  no_evidence_reason text check (length(no_evidence_reason) <= 200),
  updated_at timestamptz not null default clock_timestamp(),
  foreign key (account_id, security_id) references catalyst.position_books,
  check ((status = 'closed') = (qty_open = 0)),
  check ((status = 'closed') = (outcome is not null)),
  check ((status = 'closed') = (closed_at is not null)),
  check ((status = 'closed') = (net_return_bps is not null)),
  check ((qty_open = 0) = (entry_cost = 0)),
  check (learned_at is null or status = 'closed'),
  check (no_evidence_reason is null or learned_at is not null)
);
create unique index positions_one_open
  on catalyst.positions (account_id, security_id) where status = 'open';
create index positions_security on catalyst.positions (security_id, opened_at desc);
create index positions_opened on catalyst.positions (opened_at desc, position_id desc);
create index positions_closed on catalyst.positions (account_id, closed_at) where status = 'closed';
create index positions_closed_at on catalyst.positions (closed_at) where status = 'closed';
-- A watermark over closed_at would miss a position that closed earlier and was committed later.
create index positions_to_learn
  on catalyst.positions (closed_at, position_id) where status = 'closed' and learned_at is null;
create index positions_signal
  on catalyst.positions (opening_signal_id) where opening_signal_id is not null;
create index positions_news
  on catalyst.positions (entry_news_id) where entry_news_id is not null;

-- A fill that reverses a position closes one and opens another.
create table catalyst.position_fills (
  position_id text collate "C" not null references catalyst.positions,
  trade_id text collate "C" not null references catalyst.trade_executions,
  effect text not null check (effect in ('open', 'close')),
  quantity numeric(18, 6) not null check (quantity > 0),
  fees numeric(20, 6) not null,
  realized_pnl numeric(48, 12) not null default 0,
  primary key (position_id, trade_id),
  check (effect = 'close' or realized_pnl = 0)
);
create index position_fills_trade on catalyst.position_fills (trade_id);

-- Fills are facts. A wrong one is answered by another fill.
create function catalyst.refuse_fill_change() returns trigger
language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger trade_executions_immutable
  before update or delete on catalyst.trade_executions
  for each row execute function catalyst.refuse_fill_change();
create trigger position_fills_immutable
  before update or delete on catalyst.position_fills
  for each row execute function catalyst.refuse_fill_change();

create table catalyst.pattern_outcomes (
  pattern_id bigint primary key references catalyst.pattern_detections,
  status text not null check (status in ('pending', 'resolved', 'unresolvable')),
  -- Null with a resolved outcome: a scratch, which counts neither way.
  success boolean,
  -- What pattern_stats holds of it. It differs from success only inside a transaction that has not
  -- counted it yet, because a client holds it open. A column says so, for the planner has statistics of
  -- columns: with an expression it would expect many such rows and read the whole table for them.
  counted boolean,
  is_counted boolean not null generated always as (counted is not distinct from success) stored,
  move_bps numeric(48, 4),
  minutes numeric(14, 3) check (minutes >= 0),
  method text check (method in ('trade', 'price', 'manual')),
  position_id text collate "C" references catalyst.positions,
  reason text check (length(reason) <= 200),
  evidence jsonb not null default '{}',
  -- The starts of the first and the last price bar that count for it; null where none do.
  bars_from timestamptz,
  bars_until timestamptz,
  resolved_at timestamptz,
  updated_at timestamptz not null default clock_timestamp(),
  check (success is null or status = 'resolved'),
  check ((status = 'resolved') = (method is not null)),
  check ((status = 'pending') = (resolved_at is null)),
  check (status <> 'unresolvable' or reason is not null)
);
create index pattern_outcomes_position
  on catalyst.pattern_outcomes (position_id) where position_id is not null;
create index pattern_outcomes_pending
  on catalyst.pattern_outcomes (pattern_id) where status = 'pending';
-- Outcomes to be told again, because evidence of theirs was stored after they were told.
create table catalyst.pattern_reviews (
  pattern_id bigint primary key references catalyst.pattern_detections
);

create index pattern_outcomes_uncounted
  on catalyst.pattern_outcomes (pattern_id) where not is_counted;

-- Resolved outcomes counted by what they were detected with; 'none' stands for no catalyst and
-- 'unspecified' for one of unknown type. Rates and intervals are computed from these by who reads them.
create table catalyst.pattern_stats (
  pattern_type text collate "C" not null references catalyst.pattern_types,
  timeframe text not null,
  catalyst text not null check (length(catalyst) between 1 and 100),
  n bigint not null check (n >= 0),
  wins bigint not null check (wins between 0 and n),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (pattern_type, timeframe, catalyst)
);

-- What pattern_stats holds, and what the reader's own transaction will add to it.
create view catalyst.pattern_counts as
select pattern_type, timeframe, catalyst, n, wins
from catalyst.pattern_stats
union all
select
  d.pattern_type,
  d.timeframe,
  d.catalyst,
  (o.success is not null)::int - (o.counted is not null)::int,
  (o.success is true)::int - (o.counted is true)::int
from catalyst.pattern_outcomes o
join catalyst.pattern_detections d using (pattern_id)
where not o.is_counted;

insert into catalyst.pattern_types (pattern_type, direction, origin)
values
  ('bull_flag', 'bullish', 'seed'), ('bear_flag', 'bearish', 'seed'),
  ('ascending_triangle', 'bullish', 'seed'), ('descending_triangle', 'bearish', 'seed'),
  ('symmetrical_triangle', 'neutral', 'seed'), ('cup_and_handle', 'bullish', 'seed'),
  ('double_top', 'bearish', 'seed'), ('double_bottom', 'bullish', 'seed'),
  ('head_and_shoulders', 'bearish', 'seed'), ('inverse_head_and_shoulders', 'bullish', 'seed'),
  ('breakout', 'bullish', 'seed'), ('breakdown', 'bearish', 'seed'),
  ('gap_up', 'bullish', 'seed'), ('gap_down', 'bearish', 'seed'),
  ('hammer', 'bullish', 'seed'), ('shooting_star', 'bearish', 'seed'),
  ('bullish_engulfing', 'bullish', 'seed'), ('bearish_engulfing', 'bearish', 'seed'),
  ('morning_star', 'bullish', 'seed'), ('evening_star', 'bearish', 'seed'),
  ('doji', 'neutral', 'seed'), ('momentum', 'neutral', 'seed'),
  ('reversal', 'neutral', 'seed'), ('consolidation', 'neutral', 'seed');
