-- expect: nothing
create table desk.watchlists (
  watchlist_id bigint generated always as identity primary key,
  owner text not null,
  name text not null,
  created_at timestamptz not null default now(),
  unique (owner, name)
);

create table desk.watchlist_symbols (
  watchlist_id bigint not null references desk.watchlists (watchlist_id) on delete cascade,
  symbol text not null check (symbol ~ '^[A-Z.]{1,12}$'),
  added_at timestamptz not null default clock_timestamp(),
  primary key (watchlist_id, symbol)
);
create index watchlist_symbols_symbol on desk.watchlist_symbols (symbol);
alter table desk.watchlists add constraint watchlists_name_short check (length(name) <= 80);
