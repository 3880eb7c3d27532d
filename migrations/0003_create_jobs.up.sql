-- description: Jobs: long operations that outlive the request and the server that started them. Backups among them.

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

-- Backups as they are in the object store, which is the truth; here also those that failed or run.
create table catalyst.backups (
  backup_id text collate "C" primary key check (backup_id ~ '^\d{8}T\d{6}Z-[FI]-[0-9a-f]{6}$'),
  type text not null check (type in ('full', 'incremental')),
  status text not null check (status in ('running', 'completed', 'failed', 'retained')),
  -- Why a full one was taken where an incremental one was asked for.
  reason text,
  location text not null,
  base_backup text,
  encrypted boolean not null default false,
  -- Of the server that takes it.
  server_id text,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  size_bytes bigint check (size_bytes >= 0),
  covered_until timestamptz,
  verified_at timestamptz,
  verified_level text check (verified_level in ('quick', 'content', 'restore')),
  verified_valid boolean,
  -- How long the last drill of it took.
  restore_ms bigint,
  -- Code and message.
  error jsonb,
  check ((finished_at is null) = (status = 'running')),
  check ((error is not null) = (status = 'failed'))
);
create index backups_started_at on catalyst.backups (started_at);

-- Databases that were restored beside this one, until they are dropped.
create table catalyst.restores (
  restore_id text collate "C" primary key check (restore_id ~ '^rst_[0-9a-f]{12}$'),
  database text collate "C" not null,
  backup_id text collate "C" not null,
  recovered_to_time timestamptz not null,
  recovered_to_lsn pg_lsn not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  size_bytes bigint
);

-- How the archiver of the log is doing, for servers that are not it. Not logged, so that it never makes work for itself.
create unlogged table catalyst.backup_log (
  one boolean primary key default true check (one),
  archive_id text,
  state text not null check (state in ('archiving', 'paused', 'unavailable')),
  reason text,
  covered_until timestamptz,
  archived_lsn pg_lsn,
  last_segment_at timestamptz,
  budget_bytes bigint,
  updated_at timestamptz not null default clock_timestamp()
);

-- What was so at places of the log: one row, written again at each, so that the log tells it. Rows cannot be forged
-- by who may only write into the log.
create table catalyst.log_mark (
  one boolean primary key default true check (one),
  mark_id text not null,
  at timestamptz not null,
  -- Last values by quoted names: the log does not tell what was taken from a sequence.
  sequences text not null,
  schema_fingerprint text not null,
  -- Quoted names of tables whose rows are not in the log.
  not_logged text not null
);

-- Tables whose rows the log of backups should tell, each with whether it can: their rows must be told apart, by a key or
-- a replica identity, and they must be ours. A partitioned table stands for its partitions, where all of them can.
create view catalyst.log_tables as
  with tables as (
    select
      class.oid,
      class.relkind,
      class.relispartition,
      nspname,
      relname,
      pg_has_role(relowner, 'usage') and (
        relreplident = 'f'
        or exists (
          select
          from pg_index
          where indrelid = class.oid
            and indisvalid
            and indimmediate
            and (relreplident = 'i' and indisreplident or relreplident = 'd' and indisprimary)
        )
      ) as is_told_apart
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = relnamespace
    where relkind in ('r', 'p')
      and relpersistence = 'p'
      and nspname <> 'information_schema'
      and nspname !~ '^pg_'
      and not exists (
        select
        from pg_depend
        where classid = 'pg_class'::regclass
          and objid = class.oid
          and deptype = 'e'
      )
  ),
  roots as (
    select
      root.oid,
      root.is_told_apart and not exists (
        select
        from pg_partition_tree(root.oid) as part
        join tables as leaf on leaf.oid = part.relid
        where isleaf
          and part.relid <> root.oid
          and not leaf.is_told_apart
      ) as can_be_logged
    from tables as root
    where relkind = 'p'
      and not relispartition
  )
  select tables.oid, nspname, relname, coalesce(roots.can_be_logged, is_told_apart) as can_be_logged
  from tables
  left join roots using (oid)
  where case
    when relispartition then relkind = 'r' and not exists (
      select
      from roots
      where roots.oid = pg_partition_root(tables.oid)
        and roots.can_be_logged
    )
    else relkind = 'r' or coalesce(roots.can_be_logged, false)
  end;

-- Lets the log go on with exactly the tables that can be in it. Scripts call it as well, after each change of the schema:
-- the rows that they put into a new table are then in the log. It can add nothing that should not be there, and what it
-- leaves out is written down. It is in a schema of its own because scripts have no right on catalyst.
create schema catalyst_log;
grant usage on schema catalyst_log to public;
create function catalyst_log.publish() returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  publication record;
  change record;
begin
  select oid, pubname into publication
  from pg_publication
  where pubname ~ '^cdb_pub_[0-9a-f]{32}$'
    and pg_has_role(pubowner, 'usage');
  if not found then
    return;
  end if;
  for change in
    select
      class.oid::regclass as name,
      class.relkind,
      coalesce(can_be_logged, false) as is_added,
      (
        select sum(pg_relation_size(coalesce(part.relid, class.oid)))
        from (select) as one
        left join pg_partition_tree(class.oid) as part on true
      ) > 0 as has_rows
    from catalyst.log_tables as logged
    full join pg_publication_rel as member on member.prrelid = logged.oid and member.prpubid = publication.oid
    join pg_class as class on class.oid = coalesce(logged.oid, member.prrelid)
    where (member.prpubid = publication.oid or member.oid is null)
      and coalesce(can_be_logged, false) <> (member.oid is not null)
  loop
    execute format('alter publication %I %s table %s %s', publication.pubname,
      case when change.is_added then 'add' else 'drop' end,
      case when change.relkind = 'r' then 'only' else '' end, change.name);
    if change.has_rows or not change.is_added then
      insert into catalyst.schema_changes (sql, replay) values ('', 'unpublished');
    end if;
  end loop;
end
$$;
