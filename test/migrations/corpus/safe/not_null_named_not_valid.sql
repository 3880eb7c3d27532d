-- expect: nothing
alter table desk.fills add constraint fills_venue_known not null venue not valid;
