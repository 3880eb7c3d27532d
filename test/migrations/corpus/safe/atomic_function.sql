-- expect: nothing
create or replace function desk.purge(before timestamptz) returns void
language sql
begin atomic
  delete from desk.quotes where at < before;
  update desk.orders set note = null where note = '';
end;
