import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { createBackup, logSettings, newFolder } from './log-support.js'

interface Change {
  readonly operation: string
}

test('a row as it stood, and what was done to it, are told from the log alone', async () => {
  const folder = newFolder()
  const app = await startApp({ env: logSettings(folder, { full_every_hours: 8_760 }) })
  const { client, database } = app
  const now = async () => {
    const [row] = await database.query<{ now: string }>('select clock_timestamp() as now')
    return row?.now ?? ''
  }
  const note = 'x'.repeat(20_000)
  await database.query(`
    create type mood as enum ('fine', 'sad');
    create table public.lot (
      symbol text, number numeric(20, 4), taken timestamptz, mood mood, qty numeric, note text,
      primary key (symbol, number, taken)
    );
    create table public.plain (id bigint primary key, said text);
    alter table public.plain replica identity full;
    alter table public.lot alter note set storage external`)
  await database.query(
    `insert into public.lot values
       ('A', 1.5, '2026-11-30 10:00:00.123456+00', 'fine', 0.10, $1),
       ('B', 2, '2026-11-30 10:00:00+00', 'sad', 'NaN', null)`,
    [note],
  )
  const before = await now()
  await createBackup(client, 'full')
  const backedUp = await now()
  await database.query(`update public.lot set qty = 7 where symbol = 'A'`)
  await database.query(`insert into public.plain values (9007199254740993, 'first')`)
  const updated = await now()
  await database.query(`update public.plain set said = 'second'`)
  await database.query(`update public.lot set symbol = 'C' where symbol = 'A'`)
  const moved = await now()
  await database.query(`delete from public.plain`)
  await database.query(`update public.lot set note = 'short' where symbol = 'B'`)
  await database.query(`truncate public.lot`)
  const emptied = await now()
  await createBackup(client, 'incremental')

  const row = (table: string, key: object, at: string) => {
    const query = new URLSearchParams({ table, key: JSON.stringify(key), at })
    return client.resource(`catalyst://db/backups/row?${query}`)
  }
  const key = { symbol: 'A', number: '1.50', taken: '2026-11-30T10:00:00.123456Z' }
  const stored = { symbol: 'A', number: '1.5000', mood: 'fine', qty: '0.10', note }
  const taken = '2026-11-30 10:00:00.123456+00'
  expect(await row('public.lot', key, backedUp)).toMatchObject({
    row: { ...stored, taken },
    changed_at: null,
  })
  // The large value was not touched, so that the log does not repeat it.
  expect((await row('public.lot', key, updated)).row).toEqual({ ...stored, taken, qty: '7' })
  expect((await row('public.lot', key, moved)).row).toBeNull()
  expect((await row('public.lot', { ...key, symbol: 'C' }, moved)).row).toMatchObject({ qty: '7' })
  expect(
    (await row('public.lot', { ...key, symbol: 'B', number: 2, taken }, emptied)).row,
  ).toBeNull()
  const large = { id: '9007199254740993' }
  expect((await row('public.plain', large, updated)).row).toMatchObject({ said: 'first' })
  expect((await row('public.plain', large, backedUp)).row).toBeNull()
  await expect(row('public.lot', key, before)).rejects.toThrow(/before the oldest full backup/)
  await expect(row('public.lot', key, '2100-01-01T00:00:00Z')).rejects.toThrow(/does not reach/)
  await expect(row('public.lot', { qty: 7 }, updated)).rejects.toThrow(/do not tell rows/)
  await expect(row('public.nowhere', { id: 7 }, updated)).rejects.toThrow(/no table/)
  for (const table of ['lot"; drop table lot; --', 'a.b.c', '', 'p\u0000', 'pg_temp.x y']) {
    await expect(row(table, key, updated)).rejects.toThrow(/must be table/)
  }

  const changes = (parameters: Record<string, string>) => {
    const query = new URLSearchParams({ from: backedUp, to: emptied, ...parameters })
    return client.resource(`catalyst://db/backups/changes?${query}`)
  }
  const plain = await changes({ table: 'public.plain' })
  expect(plain).toMatchObject({
    changes: [
      { operation: 'insert', key: { id: large.id }, old: null, new: { said: 'first' } },
      { operation: 'update', old: { said: 'first' }, new: { said: 'second' } },
      { operation: 'delete', old: { said: 'second' }, new: null },
    ],
    note: null,
    next_cursor: null,
  })
  const lot = await changes({ table: 'public.lot' })
  const operations = lot.changes.map(({ operation }: Change) => operation)
  expect(operations).toEqual(['update', 'update', 'update', 'truncate'])
  expect(lot.note).toMatch(/replica identity/)
  expect(lot.changes[1]).toMatchObject({ old: { symbol: 'A' }, new: { symbol: 'C' } })
  const pages: Change[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await changes({ table: 'public.lot', limit: '1', ...(cursor && { cursor }) })
    pages.push(...page.changes)
    cursor = page.next_cursor
  }
  expect(pages).toEqual(lot.changes)
  const b = { symbol: 'B', number: 2, taken: '2026-11-30T10:00:00Z' }
  const ofB = await changes({ table: 'public.lot', key: JSON.stringify(b) })
  expect(ofB.changes.map(({ operation }: Change) => operation)).toEqual(['update', 'truncate'])
})
