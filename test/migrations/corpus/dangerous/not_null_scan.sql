-- expect: adding-not-nullable-field
alter table desk.fills alter column venue set not null;
