-- expect: nothing
alter table desk.orders enable row level security;
create policy own_orders on desk.orders using (owner = current_user);
