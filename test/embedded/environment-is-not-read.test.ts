import { expect, inject, test } from 'vitest'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { freshMachine, serve } from '../support/fresh-machine.js'
import { article } from '../support/news.js'
import { PgBouncer } from '../support/pgbouncer.js'
import { waitFor } from '../support/wait-for.js'

/** What libpq or the driver would read: most of them alone would keep a client from working. */
const FOREIGN = {
  PGHOST: '192.0.2.1',
  PGHOSTADDR: '192.0.2.1',
  PGPORT: '1',
  PGUSER: 'somebody',
  PGPASSWORD: 'else',
  PGPASSFILE: '/nowhere/pgpass',
  PGDATABASE: 'nowhere',
  PGDATA: '/nowhere',
  PGSERVICE: 'none',
  PGSERVICEFILE: '/nowhere/service',
  PGOPTIONS: '-c default_transaction_read_only=on -c statement_timeout=1 -c search_path=nowhere',
  PGREPLICATION: 'true',
  PGSSLMODE: 'verify-full',
  PGSSLNEGOTIATION: 'direct',
  PGSSLCERT: '/nowhere/cert',
  PGSSLKEY: '/nowhere/key',
  PGREQUIREAUTH: 'scram-sha-256',
  PGCHANNELBINDING: 'require',
  PGTARGETSESSIONATTRS: 'standby',
  PGCLIENTENCODING: 'LATIN1',
  PGCLIENT_ENCODING: 'LATIN1',
  PGTZ: 'Asia/Kathmandu',
  PGDATESTYLE: 'German',
  PGAPPNAME: 'other',
  PGBINARY: 'true',
  PGCONNECT_TIMEOUT: '1',
}

const typeOf = ({ type }: { type: string }): string => type

/** A write, an open transaction, a long operation and reads, by a client of the served product. */
async function round(env: Record<string, string>, engine: string): Promise<void> {
  const { command, client } = await serve({ ...FOREIGN, ...env })
  const { news_id } = await client.tool('persist_news_catalyst', article())
  expect(await client.resource(`news/${news_id}`)).toMatchObject({ news_id })
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await client.tool('sync_source_metrics')).toHaveProperty('sources_updated')
  const told = async () => (await client.tool('list_events')).events.map(typeOf)
  await waitFor(async () => (await told()).includes('db.transaction'), { what: 'an event' })
  await waitFor(async () => (await client.resource('db/status')).postgresql.engine === engine)
  expect(await client.resource('db/status')).toMatchObject({ postgresql: { status: 'up', engine } })
  // What other tests do to the same server meanwhile may be in its verdict, and is not what is asked here.
  const status = await runCommand(['status', '--json'], { ...FOREIGN, ...env })
  expect(JSON.parse(status.stdout)).toMatchObject({ postgresql: { status: 'up', engine } })
  command.kill('SIGTERM')
  await command.ended
}

test('the embedded server and its clients ignore every PG* variable', async () => {
  await round(freshMachine().env, 'embedded')
})

test('so do those of a server that DATABASE_URL names, through a pooler and directly', async () => {
  const database = await createDatabase({ empty: true })
  const bouncer = await PgBouncer.forThisTest()
  const env = {
    DATABASE_URL: bouncer.url(database.name),
    DATABASE_DIRECT_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
    PORT: '0',
  }
  await round(env, 'external')
  const written = await database.query('select 1 from catalyst.news_articles')
  expect(written).toHaveLength(2)
})
