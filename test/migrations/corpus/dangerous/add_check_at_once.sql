-- expect: constraint-missing-not-valid
-- Refuse fills of nothing from now on.
alter table desk.fills
  add constraint fills_quantity_positive check (quantity > 0);
