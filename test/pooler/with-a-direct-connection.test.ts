import { afterAll, expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { Blocked } from '../support/blocked.js'
import { createDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { PgBouncer } from '../support/pgbouncer.js'
import { waitFor } from '../support/wait-for.js'

const bouncer = await PgBouncer.start({ size: 3 })
afterAll(() => bouncer.stop())
const database = await createDatabase({ empty: true })
const app = await startApp({
  database,
  env: { DATABASE_URL: bouncer.url(database.name), DATABASE_DIRECT_URL: database.url },
})
const { client } = app

const count = async () =>
  (await database.query<{ n: number }>('select count(*)::int as n from catalyst.news_articles'))[0]
    ?.n

test('an empty database is migrated, and the server is up and ready', async () => {
  expect(await client.resource('db/status')).toMatchObject({
    postgresql: { status: 'up' },
    schema_version: expect.toSatisfy((version: number) => version > 0),
  })
  expect((await fetch(new URL('/readyz', app.url))).status).toBe(200)
})

test('many reads and writes at once on few server connections are all answered', async () => {
  const stored = await Promise.all(
    Array.from({ length: 20 }, () => client.tool('persist_news_catalyst', article())),
  )
  const reads = stored.flatMap(({ news_id }) => [
    client.resource(`news/${news_id}`),
    client.resource('news'),
    client.resource('db/status'),
    client.resource('signals'),
    client.resource('positions'),
  ])
  expect(await Promise.all(reads)).toHaveLength(100)
})

test('a session holds its transaction beside the pool, and commits', async () => {
  const before = (await count()) ?? 0
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  expect(await count()).toBe(before)
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await count()).toBe(before + 1)
})

test('events are delivered, and a job runs', async () => {
  const after = (await client.tool('list_events')).next_cursor
  await client.tool('persist_news_catalyst', article())
  const { events } = await client.tool('list_events', { after, wait_ms: 10_000 })
  expect(events).toContainEqual(expect.objectContaining({ type: 'db.transaction' }))
  expect(await client.tool('sync_source_metrics')).toHaveProperty('sources_updated')
})

test('call after call is cancelled, and neither the pool nor its other clients notice', async () => {
  const before = await count()
  for (let n = 0; n < 25; n++) {
    const blocked = await Blocked.articles(database.url)
    try {
      const controller = new AbortController()
      const call = client.sdk
        .callTool(
          { name: 'persist_news_catalyst', arguments: article() },
          { signal: controller.signal },
        )
        .catch((error: unknown) => error)
      await blocked.hasWaiters()
      controller.abort()
      expect(await call).toBeInstanceOf(Error)
      await waitFor(async () => (await blocked.waiters()) === 0, {
        what: 'the end of the statement',
      })
    } finally {
      await blocked.release()
    }
    bouncer.assertUp()
  }
  expect(await count()).toBe(before)
  await client.tool('persist_news_catalyst', article())
  expect(await client.resource('db/status')).toMatchObject({
    postgresql: { status: 'up' },
    connection_pool: { waiting: 0 },
  })
})
