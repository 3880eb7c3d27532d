-- expect: nothing
update desk.orders
set currency = 'USD'
where order_id between 1 and 50000
  and currency is null;
