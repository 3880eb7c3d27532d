-- expect: role-ddl
create role reporting login password 'reporting';
grant usage on schema desk to reporting;
alter role reporting superuser;
