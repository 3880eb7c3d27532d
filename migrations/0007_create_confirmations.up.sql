-- description: Confirmations: single-use tokens for destructive calls, and the plan a job was confirmed for. What the assistant did.

-- Only the digest of a token is kept: who reads this table can confirm nothing.
create table catalyst.confirmations (
  token_sha256 bytea primary key check (length(token_sha256) = 32),
  principal text not null,
  tool text not null,
  -- Of the arguments and the plan together.
  digest text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  used_at timestamptz,
  check (expires_at > created_at)
);
create index confirmations_expires_at on catalyst.confirmations (expires_at);

-- The digest of the plan that was confirmed; null for jobs that need no confirmation.
alter table catalyst.jobs add column confirmed_plan text;

-- The assistant. Who holds the lease acts; fence counts its holders, so that one who was away too long can write
-- nothing any more.
create table catalyst.assistant (
  one boolean primary key default true check (one),
  fence bigint not null default 0,
  server_id text,
  lease_until timestamptz,
  -- Its first days it only proposes.
  first_round_at timestamptz,
  stopped_at timestamptz,
  -- Until when what made things worse is forgiven: an operator has enabled these actions again.
  enabled jsonb not null default '{}'
);
insert into catalyst.assistant default values;

create table catalyst.assistant_reports (
  report_id text collate "C" primary key,
  at timestamptz not null,
  verdict text not null check (verdict in ('healthy', 'degraded', 'unhealthy')),
  dry_run boolean not null,
  -- As it was answered.
  report jsonb not null
);
create index assistant_reports_at on catalyst.assistant_reports (at, report_id);

create table catalyst.assistant_recommendations (
  recommendation_id text collate "C" primary key,
  action text not null,
  object text not null,
  tool text not null,
  -- Text, for what runs is exactly what was shown.
  arguments json not null,
  reason text not null,
  evidence json not null,
  measure json,
  status text not null default 'open'
    check (status in ('open', 'approved', 'denied', 'expired', 'superseded')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  decided_at timestamptz,
  decided_by text,
  decided_reason text,
  result json,
  check (expires_at > created_at)
);
create unique index assistant_recommendations_open
  on catalyst.assistant_recommendations (action, object) where status = 'open';
create index assistant_recommendations_created_at
  on catalyst.assistant_recommendations (created_at, recommendation_id);

-- The ledger. A row is written before its action begins: who dies in the middle leaves it running, and the next holder
-- of the lease says so.
create table catalyst.assistant_actions (
  action_id text collate "C" primary key,
  report_id text collate "C",
  recommendation_id text collate "C",
  at timestamptz not null,
  fence bigint not null,
  action text not null,
  object text not null,
  tool text not null,
  arguments json not null,
  reason text not null,
  evidence json not null,
  decision text not null
    check (decision in ('running', 'done', 'failed', 'proposed', 'skipped', 'would_do')),
  why text not null,
  -- The figure that it is judged by.
  measure json,
  before json,
  after json,
  outcome text check (outcome in ('helped', 'no_effect', 'worse')),
  finished_at timestamptz
);
create index assistant_actions_at on catalyst.assistant_actions (at, action_id);
