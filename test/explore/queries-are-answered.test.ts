import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client, database } = await startApp()
await database.query('create table public.orders (id int primary key, qty numeric, at timestamptz)')
await database.query(
  `insert into public.orders select n, n * 1.10, '2026-01-01T00:00:00.000001Z' from generate_series(1, 1000) n`,
)

const ask = (sql: string, args: Record<string, unknown> = {}) =>
  client.tool('query_database', { sql, ...args })

test('a constant', async () => {
  expect(await ask('select 1 as one')).toEqual({
    columns: [{ name: 'one', type: 'integer' }],
    rows: [[1]],
    row_count: 1,
    truncated: false,
    duration_ms: expect.any(Number),
    warning: null,
  })
})

test('a table without its schema', async () => {
  const { rows } = await ask('select count(*), sum(qty) from orders')
  expect(rows).toEqual([['1000', '550550.00']])
  expect((await ask('select count(*) from news_articles')).rows).toEqual([['0']])
})
test('params', async () => {
  const { rows } = await ask('select id, qty from orders where id = any ($1) and qty > $2 order by 1', { params: [[1, 2, 3], '1.5'] })
  expect(rows).toEqual([[2, '2.20'], [3, '3.30']])
})
