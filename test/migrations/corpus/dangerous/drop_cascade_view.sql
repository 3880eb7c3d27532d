-- expect: drop-cascade
drop view if exists desk.open_orders cascade;
create view desk.open_orders as
select order_id, symbol from desk.orders where closed_at is null;
