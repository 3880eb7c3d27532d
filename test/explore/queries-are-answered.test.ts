import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client, database } = await startApp()
await database.query(`
  create table public.orders (id int primary key, qty numeric(12,2), at timestamptz);
  insert into public.orders
    select n, n * 1.10, '2026-01-01T00:00:00.000001Z' from generate_series(1, 1000) as n;
  create type public.mood as enum ('calm', 'wild')`)

const ask = (sql: string, args: Record<string, unknown> = {}) =>
  client.tool('query_database', { sql, ...args })

test('a constant comes with its column', async () => {
  expect(await ask('select 1 as one')).toEqual({
    columns: [{ name: 'one', type: 'integer' }],
    rows: [[1]],
    row_count: 1,
    truncated: false,
    duration_ms: expect.any(Number),
    warning: null,
  })
})

test('tables and types are found without their schema, in public and in catalyst', async () => {
  expect((await ask('select count(*), sum(qty) from orders')).rows).toEqual([['1000', '550550.00']])
  expect((await ask('select count(*) from news_articles')).rows).toEqual([['0']])
  expect((await ask(`select 'wild'::mood > 'calm'`)).rows).toEqual([[true]])
  const { rows } = await ask('with orders as (select 7 as seven) select * from orders')
  expect(rows).toEqual([[7]])
})

test('a table that is made while the server runs can be read', async () => {
  await database.query('create table public.later as select 5 as five')
  expect((await ask('select five from later')).rows).toEqual([[5]])
})

test('parameters are values: lists are arrays', async () => {
  const sql = 'select id, qty from orders where id = any ($1) and qty > $2 order by 1'
  const { rows } = await ask(sql, { params: [[1, 2, 3], '1.5'] })
  expect(rows).toEqual([
    [2, '2.20'],
    [3, '3.30'],
  ])
  const { message } = await client.refused('query_database', { sql, params: [[1]] })
  expect(message).toContain('the statement has parameters up to $2, and 1 values were given')
})

test('rows stop at the limit, and at the size of an answer', async () => {
  const few = await ask('select id from orders order by 1', { limit: 3 })
  expect(few).toMatchObject({ rows: [[1], [2], [3]], row_count: 3, truncated: true })
  expect(await ask('select id from orders', { limit: 1000 })).toMatchObject({ truncated: false })
  const wide = await ask(`select repeat('x', 1000) from orders`, { limit: 5000 })
  expect(wide.truncated).toBe(true)
  expect(JSON.stringify(wide.rows).length).toBeLessThan(260_000)
  const { code, hint } = await client.refused('query_database', {
    sql: `select repeat('x', 900000)`,
  })
  expect({ code, hint }).toEqual({
    code: 'invalid_input',
    hint: expect.stringContaining('left(text, 1000)'),
  })
})

test('a plan is told, and nothing is run for it', async () => {
  const { rows } = await ask('explain select * from orders where id = 5')
  expect(JSON.stringify(rows)).toContain('orders_pkey')
  expect(await client.refused('query_database', { sql: 'explain analyze select 1' })).toMatchObject(
    { code: 'permission_denied', message: expect.stringContaining('explain_runs_nothing') },
  )
})

test.each([
  ['select nope from orders', 'At line 1, column 8: there is no column nope.'],
  ['select\n  id\nfrom nope', 'At line 3, column 6: there is no table or view nope.'],
  ['select id from orders where nope(id)', 'there is no function or operator nope(integer)'],
  ['selec 1', 'At line 1, column 1: syntax error at or near "selec"'],
  ['select 1 / 0', 'While it ran: division by zero.'],
  [`select 'a secret'::text::int`, 'While it ran: a text cannot be read as the type'],
])('%s says what to correct', async (sql, message) => {
  const refused = await client.refused('query_database', { sql })
  expect(refused).toMatchObject({ code: 'invalid_input' })
  expect(refused.message).toContain(message)
  expect(JSON.stringify(refused)).not.toContain('a secret')
})

test('a restored database that is not there is not found', async () => {
  const answer = client.refused('query_database', { sql: 'select 1', restore_id: 'rst_1' })
  expect(await answer).toMatchObject({ code: 'not_found' })
})

test('what is refused is in the audit with its rule and what the statement is', async () => {
  await client.refused('query_database', { sql: 'delete from orders where id = 5' })
  const kept = async () =>
    database.query(
      `select plan from catalyst.audit_log where tool = 'query_database' and plan is not null`,
    )
  await expect
    .poll(async () => (await kept()).map(({ plan }) => JSON.parse(plan)), { timeout: 30_000 })
    .toContainEqual({ rule: 'select_only', fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) })
})
