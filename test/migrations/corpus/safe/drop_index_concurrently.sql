-- expect: nothing
-- transaction: none
drop index concurrently if exists desk.orders_symbol_idx;
