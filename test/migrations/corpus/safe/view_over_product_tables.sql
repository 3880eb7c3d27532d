-- expect: nothing
create or replace view desk.open_positions as
select symbol, quantity, average_price
from catalyst.positions
where closed_at is null;
grant select on desk.open_positions to trader;
