import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { call, Trail, verify } from './trail.js'

test('what could not be written is written when the database is back, without another call', async () => {
  const { client, database } = await startApp()
  const trail = new Trail(database.url)
  await database.query('alter table catalyst.audit_head rename to gone')
  for (const tool of ['a', 'b', 'c']) trail.audit.record(call(tool))
  trail.begin()
  await client.refused('persist_news_catalyst', {})
  const tried = () =>
    database.query(`select 1 from pg_stat_database
      where datname = current_database() and xact_rollback > 0`)
  await waitFor(async () => (await tried()).length > 0, { what: 'a failed append' })
  await database.query('alter table catalyst.gone rename to audit_head')
  const written = () =>
    database.query<{ tool: string }>('select tool from catalyst.audit_log order by tool')
  await waitFor(async () => (await written()).length === 4, { what: 'the entries' })
  expect((await written()).map(({ tool }) => tool)).toEqual([
    'a',
    'b',
    'c',
    'persist_news_catalyst',
  ])
  await trail.stop()
  expect((await verify(database.url)).intact).toBe(true)
})

test('who stops writes everything that waits, however much', async () => {
  const database = await createDatabase()
  const app = await startApp({ database })
  await app.close()
  const trail = new Trail(database.url)
  const outbox = JSON.stringify(trail.audit.entryOf(call('committed')))
  await database.query(
    `insert into catalyst.audit_outbox (entry) select $1::jsonb from generate_series(1, 2500)`,
    [outbox],
  )
  for (let n = 0; n < 2_500; n++) trail.audit.record(call('waiting'))
  for (let n = 0; n < 10; n++) trail.audit.count(call('counted'))
  await trail.stop()
  const [row] = await database.query<{ n: number }>(
    'select count(*)::int as n from catalyst.audit_log',
  )
  expect(row?.n).toBe(5_001)
  expect(await verify(database.url)).toMatchObject({ intact: true, entries: 5_001 })
  await database.drop()
})
