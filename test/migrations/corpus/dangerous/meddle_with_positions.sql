-- expect: catalyst-schema, adding-required-field
alter table catalyst.positions add column strategy text not null;
create trigger positions_strategy before insert on catalyst.positions
  for each row execute function desk.fill_strategy();
