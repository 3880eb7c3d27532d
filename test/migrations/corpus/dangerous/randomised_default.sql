-- expect: adding-field-with-default
alter table desk.orders
  add column external_id uuid not null default gen_random_uuid();
