-- expect: nothing
-- size: desk.brokers 40 65536
-- size: desk.fee_plans 12 16384
alter table desk.brokers add constraint brokers_code_key unique (code);
alter table desk.brokers alter column rating type bigint;
create index brokers_name on desk.brokers (name);
alter table desk.brokers
  add constraint brokers_plan_fk foreign key (plan_id) references desk.fee_plans (plan_id);
