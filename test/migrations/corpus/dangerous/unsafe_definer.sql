-- expect: security-definer-search-path
create or replace function desk.close_order(closing bigint)
returns void
language plpgsql
security definer
as $$
begin
  insert into closings (order_id) values (closing);
end
$$;
