-- expect: nothing
alter table desk.orders add column if not exists note text;
comment on column desk.orders.note is 'What the trader wrote; may be empty.';
