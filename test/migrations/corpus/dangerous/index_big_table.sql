-- expect: require-concurrent-index-creation
create index if not exists fills_symbol_executed_at
  on desk.fills (symbol, executed_at desc)
  where quantity <> 0;
