-- expect: transaction-nesting
begin;

create table desk.watchlists (
  watchlist_id bigint generated always as identity primary key,
  name text not null
);

commit;
