-- expect: truncate
truncate desk.orders, desk.fills restart identity cascade;
insert into desk.orders (order_id, symbol) values (1, 'AAPL');
