-- expect: changing-column-type
alter table desk.quotes
  alter column price type numeric(18, 8) using price::numeric;
