-- expect: renaming-column
alter table desk.orders rename column qty to quantity;
comment on column desk.orders.quantity is 'In shares; was qty.';
