-- expect: concurrent-in-transaction
-- transaction: one
create index concurrently if not exists orders_broker on desk.orders (broker_id);
