-- expect: nothing
-- transaction: none
create index concurrently if not exists fills_symbol_executed_at
  on desk.fills (symbol, executed_at desc);
