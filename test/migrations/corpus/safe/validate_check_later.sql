-- expect: nothing
alter table desk.fills validate constraint fills_quantity_positive;
