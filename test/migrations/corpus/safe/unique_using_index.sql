-- expect: nothing
-- transaction: none
create unique index concurrently if not exists fills_execution_id_key
  on desk.fills (execution_id);
alter table desk.fills
  add constraint fills_execution_id_key unique using index fills_execution_id_key;
