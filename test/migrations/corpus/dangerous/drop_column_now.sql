-- expect: ban-drop-column
-- Nobody reads it any more.
alter table desk.orders
  drop column if exists legacy_reference;
