-- expect: nothing
alter table desk.orders
  add column currency text not null default 'USD',
  add column noted_at timestamptz not null default now(),
  add column tags jsonb not null default '{}'::jsonb;
