-- description: Conditions that are told once when they begin and once when they end, by whichever server sees it first.

create table catalyst.conditions (
  -- The event that tells of it.
  condition text primary key,
  is_on boolean not null default false,
  -- When it became what it is.
  since timestamptz not null default clock_timestamp()
);
insert into catalyst.conditions (condition) values ('cache.memory.high');
