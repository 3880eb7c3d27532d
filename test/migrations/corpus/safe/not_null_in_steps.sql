-- expect: nothing
-- transaction: none
alter table desk.fills
  add constraint fills_venue_known check (venue is not null) not valid;
alter table desk.fills validate constraint fills_venue_known;
alter table desk.fills alter column venue set not null;
alter table desk.fills drop constraint if exists fills_venue_known;
