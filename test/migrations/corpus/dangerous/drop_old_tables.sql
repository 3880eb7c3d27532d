-- expect: ban-drop-table, drop-sequence
drop table if exists desk.orders_2019;
drop table if exists desk.orders_2020;
drop sequence if exists desk.orders_2019_seq;
