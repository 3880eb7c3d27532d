-- expect: nothing
drop view if exists desk.open_orders;
create view desk.open_orders as
select order_id, symbol, quantity
from desk.orders
where closed_at is null;
