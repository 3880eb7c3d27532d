-- expect: disabling-trigger
set local session_replication_role = replica;
insert into desk.orders (order_id, symbol) select id, ticker from staging.orders where ok;
