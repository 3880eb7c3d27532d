-- expect: destructive-code
do $$
declare
  partition text;
begin
  for partition in
    select tablename from pg_tables where schemaname = 'desk' and tablename like 'quotes\_20%'
  loop
    execute format('drop table desk.%I', partition);
  end loop;
end
$$;
