-- expect: nothing
-- allow: renaming-column desk is closed on Sundays and every client is stopped
alter table desk.orders rename column qty to quantity;
