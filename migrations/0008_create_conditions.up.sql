-- description: Conditions and findings that are told once when they begin and once when they end, by whichever server sees it first; the history of figures.

create table catalyst.conditions (
  -- The event that tells of it.
  condition text primary key,
  is_on boolean not null default false,
  -- When it became what it is.
  since timestamptz not null default clock_timestamp()
);
insert into catalyst.conditions (condition) values ('cache.memory.high');

-- What monitoring has told and not ended. Servers that see it say so; one that nobody sees is ended.
create table catalyst.findings (
  check_name text not null,
  -- What it is about; empty when it is the database or the server.
  object text not null,
  severity text not null check (severity in ('critical', 'warning', 'info')),
  title text not null,
  evidence jsonb not null,
  details jsonb not null,
  since timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  primary key (check_name, object)
);

-- Work that one server does for all. The fence grows with every change of hands: what is written under an
-- older one is refused.
create table catalyst.leases (
  name text primary key,
  holder text not null,
  fence bigint not null,
  expires_at timestamptz not null
);

-- Figures of each minute, by days, which are dropped as a whole; what is not known is not in them.
create table catalyst.metrics_1m (
  at timestamptz primary key,
  figures jsonb not null
) partition by range (at);

-- Their means of ten minutes.
create table catalyst.metrics_10m (
  at timestamptz primary key,
  figures jsonb not null
);

-- Makes the partition of a day of UTC; true when it was not there.
create function catalyst.ensure_metrics_day(day date) returns boolean language plpgsql as $$
declare
  partition text := 'metrics_1m_' || to_char(day, 'YYYYMMDD');
begin
  if to_regclass('catalyst.' || partition) is not null then
    return false;
  end if;
  -- Attached, for that takes only a lock that readers and writers do not notice.
  perform catalyst.change_schema(
    format('create table catalyst.%I (like catalyst.metrics_1m including all)', partition));
  perform catalyst.change_schema(format(
    'alter table catalyst.metrics_1m attach partition catalyst.%I for values from (%L) to (%L)',
    partition, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC'));
  return true;
end $$;

-- Drops the days before one; how many there were.
create function catalyst.drop_metrics_before(day date) returns integer language plpgsql as $$
declare
  partition text;
  dropped integer := 0;
begin
  for partition in
    select c.relname
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'catalyst.metrics_1m'::regclass
      and c.relname < 'metrics_1m_' || to_char(day, 'YYYYMMDD')
  loop
    perform catalyst.change_schema(format('drop table catalyst.%I', partition));
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;
