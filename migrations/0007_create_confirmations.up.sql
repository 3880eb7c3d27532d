-- description: Confirmations: single-use tokens for destructive calls, and the plan a job was confirmed for.

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
