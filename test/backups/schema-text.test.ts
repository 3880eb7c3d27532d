import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { schemaText } from '../../src/platform/postgres/dump/schema-text.js'
import { createDatabase } from '../support/database.js'

const { signal } = new AbortController()

/** A transaction that others look through the eyes of. */
async function exported(url: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query('begin isolation level repeatable read read only')
  const { rows } = await client.query(
    `select pg_export_snapshot() as id, current_setting('server_version_num')::int / 10000 as major`,
  )
  return { snapshot: String(rows[0].id), serverMajor: Number(rows[0].major) }
}

test('the schema is read as it was when the snapshot was taken, without a pg_dump on this machine', async () => {
  const database = await createDatabase()
  onTestFinished(() => database.drop())
  const of = await exported(database.url)
  await database.query('create table public.later (id int primary key)')
  const endpoint = parseDatabaseUrl(database.url)
  const before = await schemaText(endpoint, { ...of, section: 'pre-data' }, signal)
  const after = await schemaText(endpoint, { ...of, section: 'post-data' }, signal)
  expect(before).toContain('CREATE TABLE catalyst.')
  expect(before).not.toContain('later')
  expect(before).not.toMatch(/transaction_timeout|\\restrict/)
  expect(after).toContain('PRIMARY KEY')
})
