-- expect: nothing
insert into desk.brokers (code, name)
values
  ('IBKR', 'Interactive Brokers; "IB"'),
  ('ALPC', 'Alpaca, d''accord -- not a comment')
on conflict (code) do update set name = excluded.name;
