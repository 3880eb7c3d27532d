import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client, database } = await startApp()
await database.query(`
  create table public.orders (
    id int primary key, customer int, symbol text, qty int, price numeric(12,2), at timestamptz, doc jsonb, tags text[]
  );
  insert into public.orders
    select n, n % 7, (array['AAPL','MSFT','NVDA'])[1 + n % 3], n % 50, n * 1.25,
      timestamptz '2026-01-01' + n * interval '1 hour', jsonb_build_object('k', n % 5, 'a', jsonb_build_array(n, n + 1)), array['t' || n % 4]
    from generate_series(1, 500) as n;
  create table public.people (id int primary key, boss int, name text);
  insert into public.people values (1, null, 'ann'), (2, 1, 'bob'), (3, 2, 'cid')`)

const HONEST = [
  'select percentile_cont(0.5) within group (order by price) from orders',
  'select symbol, percentile_disc(array[0.25, 0.75]) within group (order by qty) from orders group by 1',
  'select mode() within group (order by symbol) from orders',
  'select symbol, count(*) filter (where qty > 10), avg(price)::numeric(10,2) from orders group by symbol order by 1',
  'select id, sum(qty) over (partition by symbol order by at rows between 2 preceding and current row) from orders',
  'select id, lag(price) over w, lead(price, 2) over w, first_value(price) over w from orders window w as (order by id)',
  'select symbol, qty, rank() over (order by qty desc), ntile(4) over (order by qty) from orders limit 10',
  `select date_trunc('day', at) as day, count(*) from orders group by 1 order by 1`,
  `select at at time zone 'America/New_York' from orders limit 3`,
  `select extract(epoch from at), extract(isodow from at), age(at), at + interval '1 month' from orders limit 2`,
  `select now(), current_date, current_timestamp - interval '1 day', localtime`,
  'select grouping(symbol), symbol, customer, sum(qty) from orders group by grouping sets ((symbol), (customer), ())',
  'select symbol, customer, sum(qty) from orders group by rollup (symbol, customer)',
  'select symbol, customer, sum(qty) from orders group by cube (symbol, customer)',
  `select doc ->> 'k', doc #>> '{a,0}', doc @> '{"k": 1}', doc ? 'k' from orders limit 3`,
  `select jsonb_path_query(doc, '$.a[*] ? (@ > 10)') from orders limit 3`,
  `select id, e from orders cross join lateral jsonb_array_elements(doc -> 'a') as e limit 4`,
  'select o.id, l.top from orders as o, lateral (select max(price) as top from orders where symbol = o.symbol) as l limit 3',
  `select * from generate_series('2026-01-01'::date, '2026-01-10', interval '1 day') as day`,
  'with recursive chain as (select id, boss, 1 as depth from people where boss is null union all select p.id, p.boss, depth + 1 from people as p join chain as c on c.id = p.boss) select * from chain limit 100',
  `with recursive t(d, p) as (select 1, 'a'::text union all select d + 1, p || '/' || d from t where d < 5) select repeat('  ', d) || p from t limit 10`,
  `select to_tsvector('english', 'A fat cat') @@ websearch_to_tsquery('english', 'cat')`,
  `select ts_rank(to_tsvector('a b'), to_tsquery('a')), ts_headline('a fat cat', to_tsquery('cat'))`,
  `select string_agg(symbol, ', ' order by symbol), array_agg(distinct qty) from orders`,
  'select unnest(tags), count(*) from orders group by 1',
  `select * from orders where tags && array['t1'] and symbol = any ('{AAPL,MSFT}') limit 2`,
  'select distinct on (symbol) symbol, id, at from orders order by symbol, at desc',
  'select id from orders except select id from people union all select 1 intersect select 1',
  'select case when qty > 10 then 1 else 0 end, coalesce(customer, 0), nullif(qty, 0), greatest(qty, 1) from orders limit 2',
  `select lpad(id::text, 8, '0'), repeat('#', 10), format('%s-%I', id, symbol), initcap(symbol) from orders limit 2`,
  `select symbol, repeat('*', count(*)::int) from orders group by 1`,
  `select regexp_replace(symbol, '[AEIOU]', '', 'g'), symbol ~* '^a', symbol ilike 'a%', split_part('a,b', ',', 2) from orders limit 2`,
  'select corr(qty, price), stddev_samp(price), regr_slope(price, qty), var_pop(qty) from orders',
  'select width_bucket(price, 0, 1000, 10) as bucket, count(*) from orders group by 1 order by 1',
  `select exp(sum(ln(1 + qty / 1000.0))) from orders`,
  'select round(100.0 * count(*) filter (where qty > 10) / count(*), 2) from orders',
  'select json_agg(o) from (select id, symbol from orders limit 3) as o',
  `select row_to_json(o), to_jsonb(o) - 'doc' from orders as o limit 1`,
  `select jsonb_object_agg(symbol, n) from (select symbol, count(*) as n from orders group by 1) as q`,
  `select * from json_to_recordset('[{"a": 1}]') as x(a int)`,
  'select * from orders tablesample system (50) limit 1',
  'values (1, 2), (3, 4)',
  'table people',
  'select relname, pg_size_pretty(pg_total_relation_size(oid)) from pg_class order by 2 limit 2',
  'select * from information_schema.columns limit 2',
  'select * from pg_stat_user_tables limit 2',
  'select * from pg_indexes limit 2',
  'select version(), current_database(), current_user',
  'select gen_random_uuid(), random() < 2, clock_timestamp() is not null',
  `select md5('a'), encode(sha256('a'), 'hex'), hashtext('a')`,
  `select '[2026-01-01,2026-02-01)'::daterange @> '2026-01-05'::date, int4range(1, 5) * int4range(3, 9)`,
  `select '192.168.1.5'::inet << '192.168.1.0/24'`,
  'explain (costs off) select * from orders where id = 5',
  'select source_name, articles from source_totals limit 3',
  'select n.headline, s.name from news_articles as n join news_sources as s using (source_id) limit 5',
  'select (o).id, (o).price from orders as o limit 1',
  'select o.*, exists (select from people where id = o.customer) from orders as o limit 1',
  'select id from orders order by price desc nulls last fetch first 3 rows with ties',
  `select array(select id from orders order by 1 limit 3), (array[1, 2, 3])[2:3]`,
  `select make_date(2026, 1, 2), to_char(at, 'YYYY-MM-DD HH24'), to_timestamp(0) from orders limit 1`,
]

test.each(HONEST)('%s', async (sql) => {
  const { rows } = await client.tool('query_database', { sql })
  expect(rows.length).toBeGreaterThanOrEqual(0)
})
