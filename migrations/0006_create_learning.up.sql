-- description: Learning: what stories and sources turned out to be worth, and how far each sync has come.

-- What became of a story that a position cited.
create table catalyst.news_outcomes (
  news_id text collate "C" primary key references catalyst.news_articles,
  -- Null when it was right as often as wrong, or only scratches cite it.
  was_accurate boolean,
  w_win numeric(24, 12) not null default 0 check (w_win >= 0),
  w_loss numeric(24, 12) not null default 0 check (w_loss >= 0),
  n_positions integer not null default 0 check (n_positions >= 0),
  move_1h numeric(32, 4),
  move_24h numeric(32, 4),
  -- Of the moves: whether price bars could tell them.
  status text not null default 'pending' check (status in ('pending', 'resolved', 'unresolvable')),
  reason text check (length(reason) <= 200),
  -- Bars near its instants have been stored since they were told.
  has_new_bars boolean not null default false,
  as_of timestamptz not null default clock_timestamp(),
  check (status <> 'unresolvable' or reason is not null)
);
create index news_outcomes_to_tell
  on catalyst.news_outcomes (news_id) where status = 'pending' or has_new_bars;

-- The share of a position's result that a story answers for. Its key makes learning idempotent.
create table catalyst.news_outcome_evidence (
  news_id text collate "C" not null references catalyst.news_articles,
  position_id text collate "C" not null references catalyst.positions,
  weight numeric(14, 12) not null check (weight > 0 and weight <= 1),
  result text not null check (result in ('win', 'loss', 'scratch')),
  net_return_bps numeric(48, 4) not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (news_id, position_id)
);
create index news_outcome_evidence_position on catalyst.news_outcome_evidence (position_id);

alter table catalyst.source_metrics
  add column w_win numeric(24, 12) not null default 0 check (w_win >= 0),
  add column w_loss numeric(24, 12) not null default 0 check (w_loss >= 0),
  add column n_eff numeric(24, 12) not null default 0 check (n_eff >= 0),
  add column accuracy_rate numeric(10, 8) check (accuracy_rate between 0 and 1),
  add column reliability numeric(10, 8) check (reliability between 0 and 1),
  add column ci_low numeric(10, 8) check (ci_low between 0 and 1),
  add column ci_high numeric(10, 8) check (ci_high between 0 and 1),
  -- How long before trusted sources told them its confirmed stories came, all together.
  add column lead_minutes numeric(24, 3) not null default 0 check (lead_minutes >= 0),
  -- A digest of the prior and interval that the figures were computed with.
  add column params_version text,
  add constraint source_metrics_interval check (ci_low <= reliability and reliability <= ci_high);

alter table catalyst.source_activity
  -- Below 0 where an earlier confirmation than the one known was found.
  add column lead_minutes numeric(14, 3) not null default 0;

create table catalyst.source_metrics_daily (
  source_id integer not null references catalyst.news_sources,
  -- The New York day.
  day date not null,
  articles bigint not null,
  duplicates bigint not null,
  confirmed bigint not null,
  w_win numeric(24, 12) not null,
  w_loss numeric(24, 12) not null,
  reliability numeric(10, 8) not null,
  ci_low numeric(10, 8) not null,
  ci_high numeric(10, 8) not null,
  as_of timestamptz not null default clock_timestamp(),
  primary key (source_id, day)
);

-- Sources whose evidence has changed since their metrics were computed. Appended by whoever changes
-- evidence, taken by sync_source_metrics, so that it reads what is new and nothing else.
create table catalyst.source_changes (
  change_id bigint generated always as identity primary key,
  source_id integer not null references catalyst.news_sources,
  w_win numeric(24, 12) not null default 0,
  w_loss numeric(24, 12) not null default 0,
  recorded_at timestamptz not null default clock_timestamp()
);
create index source_changes_source on catalyst.source_changes (source_id);

-- How far each sync has come, for whoever asks; what is still to do is told by the rows themselves.
create table catalyst.sync_state (
  sync text primary key check (sync in ('catalyst_outcomes', 'source_metrics', 'pattern_outcomes')),
  watermark_at timestamptz,
  watermark_id text,
  last_started_at timestamptz,
  last_completed_at timestamptz,
  -- What the last run that completed did.
  last_result jsonb
);
insert into catalyst.sync_state (sync)
values ('catalyst_outcomes'), ('source_metrics'), ('pattern_outcomes');
