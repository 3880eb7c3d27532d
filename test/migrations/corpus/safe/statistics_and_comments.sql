-- expect: nothing
create statistics if not exists desk.fills_symbol_venue on symbol, venue from desk.fills;
comment on table desk.fills is 'One row for each execution; drop table, truncate and delete are only words here.';
analyze desk.fills;
