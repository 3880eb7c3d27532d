-- expect: lock-table, renaming-table
create table desk.orders_new (like desk.orders including all);
lock table desk.orders in access exclusive mode;
insert into desk.orders_new select * from desk.orders;
alter table desk.orders rename to orders_old;
alter table desk.orders_new rename to orders;
