-- description: Market data: price bars and indicators computed from them, in monthly partitions.

create table catalyst.price_bars (
  security_id integer not null references catalyst.securities,
  timeframe text not null check (timeframe in (
    '1m', '2m', '3m', '5m', '10m', '15m', '30m', '1h', '2h', '4h', '1d', '1w')),
  -- The start of the bar.
  ts timestamptz not null,
  open numeric(18, 6) not null check (open > 0),
  high numeric(18, 6) not null check (high > 0),
  low numeric(18, 6) not null check (low > 0),
  close numeric(18, 6) not null check (close > 0),
  volume numeric(24, 6) not null default 0 check (volume >= 0),
  -- How often the bar got other values after it was stored.
  revision integer not null default 0 check (revision >= 0),
  recorded_at timestamptz not null default now(),
  primary key (security_id, timeframe, ts),
  check (low <= least(open, close) and high >= greatest(open, close))
) partition by range (ts);

create table catalyst.technical_indicators (
  security_id integer not null references catalyst.securities,
  timeframe text not null,
  ts timestamptz not null,
  -- Simple means of the last 14 true ranges and the last 20 closes, the bar's own included; null while
  -- there are fewer. A true range needs the close before it, so the first bar of a series has none.
  atr_14 numeric(18, 6) check (atr_14 >= 0),
  sma_20 numeric(18, 6) check (sma_20 > 0),
  primary key (security_id, timeframe, ts)
) partition by range (ts);

-- Whoever computes indicators updates the row of the series first: two writers of one series then see
-- each other's bars, and one whose snapshot is older than the other's commit is refused.
create table catalyst.bar_series (
  security_id integer not null references catalyst.securities,
  timeframe text not null,
  writes bigint not null default 1 check (writes >= 1),
  primary key (security_id, timeframe)
);

-- Spans of bars that a transaction a client holds open has changed, whose indicators are computed when
-- it commits. Rows are written and deleted in one transaction, so a crash may lose them.
create unlogged table catalyst.price_bars_held (
  held_id bigint generated always as identity primary key,
  security_id integer not null,
  timeframe text not null,
  first_ts timestamptz not null,
  last_ts timestamptz not null
);

-- Makes the monthly partitions of one table that hold any instant from first to last, UTC months.
-- Attached rather than created in place: that locks the parent against its writers, attaching does not.
create function catalyst.ensure_month_partitions(
  parent text, first_instant timestamptz, last_instant timestamptz
) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  month timestamp := date_trunc('month', first_instant at time zone 'UTC');
  partition text;
  created integer := 0;
begin
  if parent not in ('price_bars', 'technical_indicators') then
    raise exception 'not partitioned by month: %', parent using errcode = 'invalid_parameter_value';
  end if;
  while month <= last_instant at time zone 'UTC' loop
    partition := parent || '_' || to_char(month, 'YYYYMM');
    if to_regclass('catalyst.' || partition) is null then
      -- Two writers of a new month: the second waits here and then finds it made. One lock for all
      -- months: attaching also locks securities, and two orders of locks would be a deadlock.
      perform pg_advisory_xact_lock(hashtextextended('catalyst.ensure_month_partitions', 0));
      if to_regclass('catalyst.' || partition) is null then
        execute format('create table catalyst.%I (like catalyst.%I including all)', partition, parent);
        execute format(
          'alter table catalyst.%I attach partition catalyst.%I for values from (%L) to (%L)',
          parent, partition, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
        created := created + 1;
      end if;
    end if;
    month := month + interval '1 month';
  end loop;
  return created;
end
$$;

select catalyst.ensure_month_partitions('price_bars', now(), now() + interval '2 months');
select catalyst.ensure_month_partitions('technical_indicators', now(), now() + interval '2 months');

-- The list of news is read newest first. The BRIN index finds spans of time but gives no order.
create index news_articles_newest on catalyst.news_articles (published_at desc, news_id desc);
