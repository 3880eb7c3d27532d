-- description: Jobs: long operations that outlive the request and the server that started them.

-- What waits, runs and ended. Servers take jobs over straight from here.
create table catalyst.jobs (
  job_id text collate "C" primary key check (job_id ~ '^job_[0-9a-f]{32}$'),
  tool text not null,
  principal text not null,
  owner text,
  -- Of the call that started it, as the audit knows it.
  request_id text not null default '',
  arguments jsonb not null,
  arguments_sha256 bytea not null,
  -- What becomes of it when the server that runs it dies.
  on_restart text not null check (on_restart in ('resume', 'fail')),
  state text not null default 'queued'
    check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  progress jsonb,
  result jsonb,
  error jsonb,
  cancel_requested boolean not null default false,
  -- Counts starts. With server_id it is the lease: who has not both any more may write nothing.
  attempt integer not null default 0 check (attempt >= 0),
  -- Counts the servers that died over it.
  crashes integer not null default 0 check (crashes >= 0),
  server_id text,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  heartbeat_at timestamptz,
  finished_at timestamptz,
  check ((finished_at is not null) = (state in ('succeeded', 'failed', 'cancelled'))),
  check ((result is not null) = (state = 'succeeded')),
  check ((error is not null) = (state in ('failed', 'cancelled'))),
  check (state <> 'running' or (server_id is not null and heartbeat_at is not null))
);
create index jobs_unfinished on catalyst.jobs (created_at) where state in ('queued', 'running');
create index jobs_finished_at on catalyst.jobs (finished_at) where finished_at is not null;
