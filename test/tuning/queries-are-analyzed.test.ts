import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client, database } = await startApp()
await database.query(`
  create table public.visits (
    id bigint primary key, customer int not null, kind text not null, at timestamptz not null,
    amount numeric, tags text[], email text
  );
  insert into public.visits
    select n, n * 7919 % 20000, (array['a','b','c','d'])[1 + n % 4],
      timestamptz '2026-01-01' + n * interval '1 minute', n % 977, array['t' || n % 500], 'm' || n || '@x'
    from generate_series(1, 100000) as n;
  create index visits_at on public.visits (at);
  create index visits_kind on public.visits (kind)`)
await database.query('vacuum analyze public.visits')

const analyze = (query: string, args: Record<string, unknown> = {}) =>
  client.tool('analyze_query', { query, ...args })

test('an index is proposed for a filter, with its texts, its cost and what it saves', async () => {
  const answer = await analyze('select * from visits where customer = 17')
  expect(answer.indexes).toHaveLength(1)
  const [index] = answer.indexes
  expect(index).toMatchObject({
    create_sql:
      '-- transaction: none\ncreate index concurrently visits_customer_idx on public.visits using btree (customer);',
    drop_sql: '-- transaction: none\ndrop index concurrently public.visits_customer_idx;',
    replaces: [],
    write_overhead: expect.stringContaining('3 indexes'),
  })
  expect(index.cost_after).toBeLessThan(index.cost_before / 10)
  expect(answer.estimated_improvement).toMatch(
    /^cost [\d ]+ -> [\d .]+ (by hypopg|estimated from statistics)$/,
  )
  expect(answer.execution_plan.Plan['Total Cost']).toBe(index.cost_before)
  expect(answer.findings).toContainEqual({
    rule: 'seq_scan_filter',
    node: 'Seq Scan on visits',
    evidence: expect.stringContaining('100 000 rows'),
    advice: expect.any(String),
  })
})

test('the migration that it proposes makes the plan cheaper', async () => {
  const query = 'select * from visits where kind = $1 and customer = $2'
  const { indexes } = await analyze(query)
  await database.query(indexes[0].create_sql)
  await database.query('analyze public.visits')
  const after = await analyze(query)
  expect(JSON.stringify(after.execution_plan)).toContain('visits_customer_kind_idx')
  expect(after.indexes).toEqual([])
  expect(after.suggestions.join()).toContain('No index will help, because')
  await database.query(indexes[0].drop_sql)
})

test.each([
  [`select * from visits where customer = 3 and at > '2026-01-20'`, '(customer, at)'],
  [`select * from visits where lower(email) = 'm5@x'`, '(lower(email))'],
  [`select * from visits where tags @> array['t5']`, 'using gin (tags)'],
  ['select * from visits where customer = 5 order by amount desc limit 3', '(customer'],
])('%s gets an index %s', async (query, columns) => {
  const { indexes } = await analyze(query)
  expect(indexes[0]?.create_sql).toContain(columns)
})

test('an index that the new one makes superfluous is named', async () => {
  await database.query('create index visits_customer on public.visits (customer)')
  const { indexes } = await analyze(
    'select * from visits where customer = 5 and amount > 900 order by amount',
  )
  const replaced = indexes.flatMap(({ replaces }: { replaces: string[] }) => replaces)
  expect(indexes.length === 0 || replaced.includes('visits_customer')).toBe(true)
  await database.query('drop index public.visits_customer')
})

test.each([
  ['select sum(amount) from visits', 'most of the table is wanted'],
  ['select kind, avg(amount) from visits group by kind', 'most of the table is wanted'],
  ['select * from visits where id = 5', 'read through an index that fits already'],
  ['select 1', 'reads no table'],
  ['select * from news_articles', 'so small that reading them whole is fastest'],
  [`select * from visits where amount >= 0`, 'No index will help, because'],
])('%s is told that no index will help, and why', async (query, reason) => {
  const { indexes, suggestions } = await analyze(query)
  expect(indexes).toEqual([])
  expect(suggestions.join(' ')).toContain('No index will help, because')
  expect(suggestions.join(' ')).toContain(reason)
})

test('what is run is measured, and only when it is asked for', async () => {
  const query = 'select count(*) from visits where customer < 100'
  const planned = await analyze(query)
  expect(planned.execution_plan.Plan['Actual Rows']).toBeUndefined()
  const measured = await analyze(query, { analyze: true })
  expect(measured.execution_plan.Plan['Actual Rows']).toBe(1)
})

test.each([
  ['delete from visits', 'select_only'],
  ['select pg_sleep(1)', 'function'],
  ['with d as (delete from visits returning 1) select * from d', 'no_data_changing_cte'],
  ['select repeat(repeat($1, 1000000), 1000)', 'value_size'],
])('%s is refused, run or not', async (query, rule) => {
  for (const analyze of [false, true]) {
    const refused = await client.refused('analyze_query', { query, analyze })
    expect(refused).toMatchObject({ code: 'permission_denied' })
    expect(refused.message).toContain(`Refused by rule ${rule}:`)
  }
})

test('without a query there is nothing to analyze', async () => {
  expect(await client.refused('analyze_query')).toMatchObject({ code: 'invalid_input' })
})

test('a restored copy that is not there is not found', async () => {
  const refused = await client.refused('analyze_query', { query: 'select 1', try_on: 'rst_1' })
  expect(refused).toMatchObject({ code: 'not_found' })
})
