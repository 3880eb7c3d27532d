-- expect: adding-required-field
create table desk.venues (
  venue_id bigint generated always as identity primary key,
  name text not null unique
);

alter table desk.orders
  add column venue text not null;
