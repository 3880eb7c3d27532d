-- description: The machinery every write relies on: event outbox and log, idempotency keys, sessions, audit log.

-- What the product does to the schema by itself, such as the partition of the next month: written right before it is
-- done, so that who replays the log knows.
create table catalyst.schema_changes (
  change_id bigint generated always as identity primary key,
  -- Empty where nothing was run, and only the log goes on with other tables than before.
  sql text not null,
  replay text not null default 'again' check (replay in ('again', 'unpublished')),
  at timestamptz not null default clock_timestamp()
);
create function catalyst.change_schema(statement text) returns void language plpgsql as $$
begin
  insert into catalyst.schema_changes (sql) values (statement);
  execute statement;
end $$;

-- Written inside the transaction that makes the fact; the publisher moves rows to catalyst.events
-- after commit. Insert-only for writers, so nobody waits for anybody here.
create table catalyst.event_outbox (
  outbox_id bigint generated always as identity primary key,
  type text not null,
  severity text not null default 'info' check (severity in ('info', 'warning', 'critical')),
  data jsonb not null,
  transaction_id xid8 not null default pg_current_xact_id(),
  -- Random: after a lost COMMIT or a failover, the proof that exactly this transaction is there.
  event_id uuid not null default gen_random_uuid(),
  at timestamptz not null default clock_timestamp()
);

-- The replayable log. The one publisher of the moment gives seq after commit, under a lock it keeps
-- until its own commit is visible: whoever has read up to n has seen everything up to n, whatever
-- order the transactions committed in. Ranges of seq are partitions, so that old ones are dropped
-- whole and reading after n touches only the partitions that can have more.
create sequence catalyst.event_seq;
create table catalyst.events (
  seq bigint primary key,
  type text not null,
  severity text not null,
  data jsonb not null,
  event_id uuid not null,
  at timestamptz not null,
  published_at timestamptz not null default clock_timestamp()
) partition by range (seq);
create index events_type_seq on catalyst.events (type, seq);
create index events_at on catalyst.events using brin (at);
create table catalyst.events_0 partition of catalyst.events for values from (0) to (1000000);

-- The answer is stored in the same transaction as the effect it answers for.
create table catalyst.idempotency_keys (
  principal text not null,
  key text not null check (length(key) between 1 and 255),
  tool text not null,
  arguments_sha256 bytea not null,
  answer jsonb,
  -- Of a job tool: the answer is the job's. One namespace, so that a key stands for one call.
  job_id text,
  created_at timestamptz not null default now(),
  primary key (principal, key)
);
create index idempotency_keys_created_at on catalyst.idempotency_keys (created_at);

-- Sessions live in the memory of one server; this is what their owner is told after that is gone.
create table catalyst.db_sessions (
  session_id text primary key,
  owner text not null,
  server_id text not null,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  -- unknown: nobody could say whether its last commit was kept.
  ended_as text check (ended_as in ('committed', 'rolled_back', 'expired', 'lost', 'unknown')),
  check ((ended_at is null) = (ended_as is null))
);
create index db_sessions_started_at on catalyst.db_sessions (started_at);
create index db_sessions_open on catalyst.db_sessions (server_id) where ended_as is null;

-- Every tool call, in a chain of hashes. What persists writes its row to the outbox in its own
-- transaction, and so does a confirmed destructive call before it acts; whoever appends to the chain
-- next takes it over from there.
create table catalyst.audit_outbox (
  outbox_id bigint generated always as identity primary key,
  entry jsonb not null
);
create table catalyst.audit_log (
  audit_id bigint not null,
  -- In which it was appended: one partition, which is verified and dropped as a whole.
  month date not null check (extract(day from month) = 1),
  at timestamptz not null,
  server_id text not null,
  principal text not null,
  request_id text not null,
  tool text not null,
  arguments_sha256 text not null,
  outcome text not null,
  -- Reads are counted by caller, tool, outcome and minute; every other entry is one call.
  calls integer not null check (calls > 0),
  duration_ms numeric(12, 3) not null,
  session_id text,
  transaction_id text,
  -- How a call that had to be confirmed was, and the plan that was agreed to as JSON.
  confirmed_by text check (confirmed_by in ('elicitation', 'token')),
  plan text,
  previous_hash text not null,
  hash text not null,
  primary key (month, audit_id)
) partition by range (month);
create index audit_log_at on catalyst.audit_log using brin (at);

-- The end of the chain and where its newest month began: without it the newest rows could be removed
-- unnoticed.
create table catalyst.audit_head (
  only_row boolean primary key default true check (only_row),
  month date not null,
  first_id bigint not null,
  previous_hash text not null,
  audit_id bigint not null,
  hash text not null
);
insert into catalyst.audit_head (month, first_id, previous_hash, audit_id, hash)
values (date_trunc('month', now() at time zone 'UTC'), 1, repeat('0', 64), 0, repeat('0', 64));

-- The heads of the months that are over. They stay when a month is dropped, so that what is left can
-- be verified from the first entry ever written.
create table catalyst.audit_seals (
  month date primary key,
  first_id bigint not null,
  previous_hash text not null,
  audit_id bigint not null,
  hash text not null,
  sealed_at timestamptz not null default clock_timestamp(),
  dropped_at timestamptz
);

create function catalyst.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = '42501';
end $$;
create trigger audit_log_is_append_only
  before update or delete or truncate on catalyst.audit_log
  for each statement execute function catalyst.refuse_change();

-- Makes the partition of a month; true when it was not there. To be called by who holds the head.
create function catalyst.ensure_audit_month(month date) returns boolean language plpgsql as $$
declare
  partition text := 'audit_log_' || to_char(month, 'YYYYMM');
begin
  if to_regclass('catalyst.' || partition) is not null then
    return false;
  end if;
  -- Attached, for that takes only a lock that readers and writers do not notice.
  perform catalyst.change_schema(
    format('create table catalyst.%I (like catalyst.audit_log including all)', partition));
  perform catalyst.change_schema(format(
    'alter table catalyst.audit_log attach partition catalyst.%I for values from (%L) to (%L)',
    partition, month, (month + interval '1 month')::date));
  -- Triggers of statements are not those of partitions.
  perform catalyst.change_schema(format(
    'create trigger audit_log_is_append_only before update or delete or truncate on catalyst.%I
       for each statement execute function catalyst.refuse_change()', partition));
  return true;
end $$;
select catalyst.ensure_audit_month(month) from catalyst.audit_head;
