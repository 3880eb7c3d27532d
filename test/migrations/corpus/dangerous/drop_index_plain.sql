-- expect: require-concurrent-index-deletion
drop index if exists desk.orders_symbol_idx;
