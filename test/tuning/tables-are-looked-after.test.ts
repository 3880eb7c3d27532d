import pg from 'pg'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client, database } = await startApp()
await database.query(`
  create table public.worn (id int primary key, what text) with (autovacuum_enabled = off);
  insert into public.worn select n, repeat('x', 200) from generate_series(1, 5000) as n;
  create index worn_what on public.worn (what, id);
  delete from public.worn where id > 100`)

test('a vacuum tells dead rows before and after, and what new rows can take', async () => {
  const dead = async () =>
    (
      await database.query(
        `select n_dead_tup::int as n from pg_stat_user_tables where relname = 'worn'`,
      )
    )[0]?.n
  await expect.poll(dead, { timeout: 60_000 }).toBe(4900)
  const answer = await client.tool('optimize_tables', { tables: ['worn'], operations: ['vacuum'] })
  expect(answer.tables_optimized).toBe(1)
  const [table] = answer.tables
  expect(table).toMatchObject({ name: 'public.worn', operation: 'vacuum', skipped: null })
  expect(table.before.dead_rows).toBe(4900)
  expect(table.after.dead_rows).toBe(0)
  expect(table.reclaimed_bytes).toBe(table.before.size_bytes - table.after.size_bytes)
  expect(answer.space_reclaimed).toMatch(/^[\d.]+ [kMG]?B, [\d.]+ [kMG]?B reusable$/)
})

test('a reindex gives the room of an index back', async () => {
  const { tables } = await client.tool('optimize_tables', {
    tables: ['public.worn'],
    operations: ['analyze', 'reindex'],
  })
  const operations = tables.map(({ operation }: { operation: string }) => operation)
  expect(operations).toEqual(['reindex', 'analyze'])
  expect(tables[0].reclaimed_bytes).toBeGreaterThan(100_000)
})

test('a table that somebody holds is skipped and named, and nothing is left behind', async () => {
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  await other.query('begin; lock table public.worn in share row exclusive mode')
  const { tables, tables_optimized } = await client.tool('optimize_tables', {
    tables: ['worn'],
    operations: ['reindex'],
  })
  await other.query('rollback')
  await other.end()
  expect(tables_optimized).toBe(0)
  expect(tables[0].skipped).toMatch(/^a lock on it was not free within 5 s/)
  const left = await database.query('select 1 from pg_index where not indisvalid')
  expect(left).toEqual([])
})

test('statistics are taken anew of one table, or of all', async () => {
  const one = await client.tool('update_statistics', { tables: ['worn'] })
  expect(one).toMatchObject({ updated: 1, tables: [{ name: 'public.worn', skipped: null }] })
  const all = await client.tool('update_statistics', {})
  expect(all.updated).toBeGreaterThan(20)
  const [analyzed] = await database.query(
    `select last_analyze is not null as done from pg_stat_user_tables where relname = 'worn'`,
  )
  expect(analyzed).toEqual({ done: true })
})

test('a table that is not there is named, and nothing is done', async () => {
  const refused = await client.refused('optimize_tables', {
    tables: ['worn', 'nope; drop table worn'],
    operations: ['vacuum'],
  })
  expect(refused).toMatchObject({
    code: 'not_found',
    message: 'There is no table "nope; drop table worn".',
  })
})

test('a table of somebody else is skipped with the reason', async () => {
  await database.asSuperuser('create table public.foreign_one (id int)')
  const { tables } = await client.tool('optimize_tables', {
    tables: ['foreign_one'],
    operations: ['vacuum'],
  })
  expect(tables[0].skipped === null || /belongs to/.test(tables[0].skipped)).toBe(true)
})
