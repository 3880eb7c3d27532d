-- expect: nothing
create table desk.quotes_2027 (like desk.quotes including defaults);
alter table desk.quotes_2027
  add constraint quotes_2027_range check (at >= '2027-01-01' and at < '2028-01-01');
alter table desk.quotes attach partition desk.quotes_2027
  for values from ('2027-01-01') to ('2028-01-01');
