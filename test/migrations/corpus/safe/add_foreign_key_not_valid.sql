-- expect: nothing
alter table desk.orders
  add constraint orders_broker_fk foreign key (broker_id) references desk.brokers (broker_id) not valid;
