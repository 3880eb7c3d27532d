-- expect: nothing
alter table desk.fills
  add constraint fills_quantity_positive check (quantity > 0) not valid;
