-- expect: delete-without-where
create table desk.orders_archive (like desk.orders);

with moved as (
  delete from desk.orders
  returning *
)
insert into desk.orders_archive
select * from moved;
