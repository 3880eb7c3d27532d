-- expect: nothing
-- transaction: none
alter table desk.quotes detach partition desk.quotes_2021 concurrently;
