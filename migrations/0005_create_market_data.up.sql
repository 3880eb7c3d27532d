-- description: Market data: price bars and indicators computed from them, in monthly partitions.

create table catalyst.price_bars (
  security_id integer not null references catalyst.securities,
  timeframe text not null check (timeframe in (
    '1m', '2m', '3m', '5m', '10m', '15m', '30m', '1h', '2h', '4h', '1d', '1w')),
  -- The start of the bar's interval, which identifies it: a slot from midnight UTC, midnight of a day
  -- in New York, or that of a week's Monday.
  ts timestamptz not null,
  -- When its close was known: a day and a week end at the close of their last session.
  ends_at timestamptz not null check (ends_at > ts),
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
-- For readers of what was stored since; bars are stored in order of time, all but corrections.
create index price_bars_recorded on catalyst.price_bars using brin (recorded_at);

create table catalyst.technical_indicators (
  security_id integer not null references catalyst.securities,
  timeframe text not null,
  ts timestamptz not null,
  -- Wilder's average of true ranges over 14 bars, rounded, and as the next one is computed from it; the
  -- mean of the last 20 closes. Null while there are fewer. A true range needs the close before it, so
  -- the first bar of a series has none.
  atr_14 numeric(18, 6) check (atr_14 >= 0),
  atr_exact numeric(24, 12) check (atr_exact >= 0),
  sma_20 numeric(18, 6) check (sma_20 > 0),
  -- A bar that comes late changes those of the bars after it; null until then.
  changed_at timestamptz,
  primary key (security_id, timeframe, ts)
) partition by range (ts);

-- Wilder's average: the mean of the first 14 true ranges, then (13 * previous + true range) / 14
-- (New Concepts in Technical Trading Systems, 1978). Each step is rounded to twelve decimals, so that it
-- can go on from a stored value and come to the same. A known value takes the place of all before it.
create function catalyst.wilder_step(state numeric[], true_range numeric, known numeric)
returns numeric[]
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  n numeric := state[1];
begin
  if known is not null then
    return array[14, known];
  elsif true_range is null then
    return state;
  elsif n = 14 then
    return array[14, round((13 * state[2] + true_range) / 14, 12)];
  elsif n = 13 then
    return array[14, round((state[2] + true_range)::numeric(40, 12) / 14, 12)];
  end if;
  return array[n + 1, state[2] + true_range];
end
$$;
create function catalyst.wilder_value(state numeric[]) returns numeric
language sql immutable parallel safe
return case when state[1] = 14 then state[2] end;
create aggregate catalyst.wilder(true_range numeric, known numeric) (
  sfunc = catalyst.wilder_step,
  stype = numeric[],
  initcond = '{0,0}',
  finalfunc = catalyst.wilder_value
);

-- Whoever computes indicators updates the row of the series first: two writers of one series then see
-- each other's bars, and one whose snapshot is older than the other's commit is refused.
create table catalyst.bar_series (
  security_id integer not null references catalyst.securities,
  timeframe text not null,
  writes bigint not null default 1 check (writes >= 1),
  -- The starts of the first and the last bar.
  first_ts timestamptz not null,
  last_ts timestamptz not null,
  -- Bars and indicators between these have changed since outcomes of patterns, and moves after news,
  -- were last told from them; null where none have.
  patterns_from timestamptz,
  patterns_until timestamptz,
  news_from timestamptz,
  news_until timestamptz,
  primary key (security_id, timeframe),
  check (first_ts <= last_ts)
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
      -- Asked of the table itself: to_regclass remembers, past that lock, that there was none.
      if not exists (
        select
        from pg_class c
        where c.relnamespace = 'catalyst'::regnamespace
          and c.relname = partition
      ) then
        perform catalyst.change_schema(
          format('create table catalyst.%I (like catalyst.%I including all)', partition, parent));
        perform catalyst.change_schema(format(
          'alter table catalyst.%I attach partition catalyst.%I for values from (%L) to (%L)',
          parent, partition, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC'));
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
