import { afterAll, expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const SIZE = 1_000_000
const databases: TestDatabase[] = []
afterAll(async () => {
  for (const database of databases) await database.drop()
})

/** A log of four partitions: all old, old but for its last event, all old again, and the current one. */
async function agedLog(): Promise<TestDatabase> {
  const database = await createDatabase()
  databases.push(database)
  for (const n of [1, 2, 3]) {
    await database.query(`
      create table catalyst.events_${n} partition of catalyst.events
        for values from (${n * SIZE}) to (${(n + 1) * SIZE})`)
  }
  const published = [
    [1, '9 days'],
    [SIZE - 1, '7 days 1 minute'],
    [SIZE, '8 days'],
    [2 * SIZE - 1, '6 days 23 hours'],
    [2 * SIZE, '8 days'],
    [3 * SIZE, '8 days'],
  ]
  for (const [seq, age] of published) {
    await database.query(
      `insert into catalyst.events (seq, type, severity, data, event_id, at, published_at)
       values ($1, 'db.error', 'critical', '{}', gen_random_uuid(), now(), now() - $2::interval)`,
      [seq, age],
    )
  }
  await database.query(`select setval('catalyst.event_seq', ${3 * SIZE})`)
  return database
}

const partitions = async (database: TestDatabase) => {
  const rows = await database.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'catalyst.events'::regclass order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** Every way to plan that can be switched off, for whoever logs in to this database. */
async function hinderPlanner(database: TestDatabase): Promise<void> {
  const ways = await database.query<{ name: string }>(
    `select name from pg_settings where name like 'enable\\_%' and vartype = 'bool'`,
  )
  for (const { name } of ways) {
    await database.query(`alter database ${database.name} set ${name} = off`)
  }
}

test.each([
  ['as it plans by itself', async () => {}],
  ['with every way to plan switched off', hinderPlanner],
  [
    'with nested loops alone switched off',
    (database: TestDatabase) =>
      database.query(`alter database ${database.name} set enable_nestloop = off`),
  ],
])(
  'full partitions without an event of the last seven days go, the others stay (%s)',
  async (_, prepare) => {
    const database = await agedLog()
    await prepare(database)
    const app = await startApp({ database })
    await waitFor(async () => (await partitions(database)).length === 2, {
      what: 'the old partitions to go',
    })
    expect(await partitions(database)).toEqual(['events_1', 'events_3'])
    const kept = await database.query<{ seq: number }>(
      `select seq from catalyst.events where seq <= ${3 * SIZE} order by seq`,
    )
    expect(kept.map(({ seq }) => seq)).toEqual([SIZE, 2 * SIZE - 1, 3 * SIZE])
    const { news_id } = await app.client.tool('persist_news_catalyst', article())
    await waitFor(async () => {
      const { events } = await app.client.tool('list_events', { after: 3 * SIZE })
      return JSON.stringify(events).includes(news_id)
    })
    // The event log goes on: what is not well with it would be among the reasons.
    await waitFor(async () => {
      const { reasons } = await app.client.resource('db/status')
      return !JSON.stringify(reasons).includes('event')
    })
  },
)
