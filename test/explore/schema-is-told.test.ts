import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client, database } = await startApp()
await database.query(`
  create table public.customers (id int primary key, name text not null);
  comment on table public.customers is 'Who buys.';
  create table public.sales (
    id int generated always as identity primary key,
    customer int not null references public.customers,
    amount numeric(12,2) check (amount > 0)
  );
  create index sales_customer on public.sales (customer);
  create view public.totals as select customer, sum(amount) as amount from public.sales group by 1;
  insert into public.customers values (1, 'a');
  analyze public.customers`)
for (let read = 0; read < 50; read++) await database.query('select * from public.customers')

test('the list is short, and what is used most comes first', async () => {
  const uses = () => client.resource('catalyst://db/schema')
  await expect
    .poll(async () => (await uses()).tables[0].name, { timeout: 30_000 })
    .toBe('public.customers')
  const { tables, not_listed } = await uses()
  expect(tables[0]).toEqual({
    name: 'public.customers',
    kind: 'table',
    rows: 1,
    comment: 'Who buys.',
    primary_key: ['id'],
    references: [],
  })
  expect(JSON.stringify(tables).length).toBeLessThan(8_000)
  expect(not_listed).toBeGreaterThanOrEqual(0)
  expect(JSON.stringify(tables)).not.toContain('catalyst.confirmations')
})

test('a table is told as a whole', async () => {
  const table = await client.resource('catalyst://db/schema?table=sales')
  expect(table).toMatchObject({
    name: 'public.sales',
    primary_key: ['id'],
    references: ['FOREIGN KEY (customer) REFERENCES customers(id)'],
    columns: [
      { name: 'id', type: 'integer', not_null: true, identity: true },
      { name: 'customer', type: 'integer', not_null: true },
      { name: 'amount', type: 'numeric(12,2)', not_null: false },
    ],
    size_bytes: expect.any(Number),
    triggers: [],
    partitions: [],
    definition: null,
  })
  expect(table.indexes.map(({ name }: { name: string }) => name)).toEqual([
    'sales_customer',
    'sales_pkey',
  ])
  const customers = await client.resource('catalyst://db/schema?table=public.customers')
  expect(customers.referenced_by).toEqual(['sales'])
  const view = await client.resource('catalyst://db/schema?table=totals')
  expect(view).toMatchObject({ kind: 'view', definition: expect.stringContaining('sum') })
})

test('partitions are with their table', async () => {
  const { kind, partitions } = await client.resource('catalyst://db/schema?table=price_bars')
  expect(kind).toBe('partitioned table')
  expect(partitions.length).toBeGreaterThan(0)
})

test('a table that is not there, or not for queries, is not found', async () => {
  for (const table of ['nope', 'catalyst.confirmations', 'pg_authid']) {
    await expect(client.resource(`catalyst://db/schema?table=${table}`)).rejects.toThrow(
      'no such table',
    )
  }
})
