-- expect: nothing
create table desk.quotes (
  symbol text not null,
  at timestamptz not null,
  bid numeric(18, 8) not null,
  ask numeric(18, 8) not null
) partition by range (at);
create table desk.quotes_2026 partition of desk.quotes
  for values from ('2026-01-01') to ('2027-01-01');
create index quotes_symbol_at on desk.quotes (symbol, at desc);
