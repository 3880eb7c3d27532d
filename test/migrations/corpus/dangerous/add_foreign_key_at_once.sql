-- expect: adding-foreign-key-constraint
alter table desk.orders add column broker_id bigint;
alter table desk.orders
  add constraint orders_broker_fk foreign key (broker_id) references desk.brokers (broker_id);
