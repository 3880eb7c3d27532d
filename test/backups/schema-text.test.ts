import { expect, onTestFinished, test } from 'vitest'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { DirectSession } from '../../src/platform/postgres/direct.js'
import { schemaText } from '../../src/platform/postgres/dump/schema-text.js'
import { sql } from '../../src/platform/postgres/sql.js'
import { createDatabase } from '../support/database.js'

const { signal } = new AbortController()

test('the schema is read as an open transaction sees it, whoever waits for a table alone, and the connection goes on', async () => {
  const database = await createDatabase()
  onTestFinished(() => database.drop())
  await database.query('create table public.held (id int primary key)')
  const session = await DirectSession.open(parseDatabaseUrl(database.url), { name: 'test' })
  onTestFinished(() => session.close())
  const [server] = await session.many(
    sql<{ major: number }>`select current_setting('server_version_num')::int / 10000 as major`,
  )
  await session.command('begin isolation level repeatable read read only')
  await session.command('select 1')
  await session.command('lock table public.held in access share mode')
  // Whoever came after it would wait for it.
  const waiting = database.query('truncate public.held')
  await database.query('create table public.later (id int primary key)')
  const of = { serverMajor: server?.major ?? 0 }
  const before = await schemaText(session, { ...of, section: 'pre-data' }, signal)
  const after = await schemaText(session, { ...of, section: 'post-data' }, signal)
  expect(before).toContain('CREATE TABLE public.held')
  expect(before).not.toContain('later')
  expect(before).not.toMatch(/transaction_timeout|\\restrict/)
  expect(after).toContain('PRIMARY KEY')
  expect(await session.command('commit')).toBe('COMMIT')
  await waiting
})
