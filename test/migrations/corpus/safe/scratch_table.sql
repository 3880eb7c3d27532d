-- expect: nothing
create temporary table moved on commit drop as
select order_id from desk.orders where symbol = 'FB';
create index on moved (order_id);
update desk.orders as o set symbol = 'META' from moved as m where o.order_id = m.order_id;
truncate moved;
drop table moved;
