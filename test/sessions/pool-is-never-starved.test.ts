import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const { client, database } = await startApp({
  env: { CATALYST_POOL_MAX: '6', CATALYST_SESSION_IDLE_SECONDS: '10' },
})

test('open transactions take at most half of the pool; the next one is refused, one-shot tools go on', async () => {
  const held: string[] = []
  for (let i = 0; i < 3; i++) {
    const { session_id } = await client.tool('start_db_session')
    await client.tool('persist_news_catalyst', { ...article({ symbol: `HELD${i}` }), session_id })
    held.push(session_id)
  }
  expect(await client.refused('start_db_session')).toMatchObject({
    code: 'rate_limited',
    retryable: true,
  })
  await client.tool('persist_news_catalyst', article({ symbol: 'MSFT' }))
  expect(await client.resource('db/status')).toMatchObject({
    postgresql: { status: 'up' },
    connection_pool: { waiting: 0 },
  })
  for (const session_id of held) {
    await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  }
})

test('a hundred sessions opened and abandoned are all reaped, and the pool is as before', async () => {
  const opened: string[] = []
  for (let i = 0; i < 100; i++) opened.push((await client.tool('start_db_session')).session_id)
  await waitFor(async () => (await client.resource('db/sessions/active')).sessions.length === 0)
  for (const session_id of opened) {
    const use = client.refused('end_db_session', { session_id, outcome: 'commit' })
    expect(await use).toMatchObject({ code: 'session_expired' })
  }
  // The audit and the event log use the pool for moments of their own.
  await waitFor(async () => (await client.resource('db/status')).connection_pool.active === 0)
  await waitFor(async () => {
    const [row] = await database.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity
       where datname = current_database() and state like 'idle in transaction%'`,
    )
    return row?.n === 0
  })
})
