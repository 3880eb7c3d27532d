-- expect: nothing
create type desk.side as enum ('buy', 'sell');
alter type desk.order_state add value if not exists 'expired' after 'cancelled';
