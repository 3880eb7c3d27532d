-- expect: update-without-where
alter table desk.orders add column currency text;
update desk.orders set currency = 'USD';
