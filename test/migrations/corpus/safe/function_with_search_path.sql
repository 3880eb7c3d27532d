-- expect: nothing
create or replace function desk.close_order(closing bigint)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  update desk.orders set closed_at = now() where order_id = closing;
end
$$;
revoke all on function desk.close_order(bigint) from public;
grant execute on function desk.close_order(bigint) to trader;
