-- expect: nothing
alter table desk.fills
  add column notional numeric generated always as (quantity * price) virtual;
