-- expect: disallowed-unique-constraint
alter table desk.fills
  add constraint fills_execution_id_key unique (execution_id);
