import { expect, inject, test } from 'vitest'
import { startApp, TestClient } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { ServedProcess } from '../support/served.js'
import { waitFor } from '../support/wait-for.js'

const database = await createDatabase()
const env = { DATABASE_URL: database.url, REDIS_URL: `unix://${inject('redisPath')}` }

const recordOf = async (id: string) => {
  const [row] = await database.query<{ ended_as: string | null }>(
    'select ended_as from catalyst.db_sessions where session_id = $1',
    [id],
  )
  return row?.ended_as
}

/** A server in a process of its own, with a session that holds something, killed. */
async function killHolder() {
  const holder = await ServedProcess.start(env)
  const client = await TestClient.connect(holder.url, 'modern')
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  expect(await recordOf(session_id)).toBeNull()
  await holder.kill()
  return { holder, session_id }
}

test('another server closes the sessions of one that was killed, tells of it, and leaves those of the living', async () => {
  const living = await startApp({ database })
  const watching = await startApp({ database })
  const own = await living.client.tool('start_db_session')
  const { session_id } = await killHolder()
  await waitFor(async () => (await recordOf(session_id)) === 'lost', { what: 'a closed record' })
  expect(await recordOf(own.session_id)).toBeNull()
  const event = await waitFor(async () => {
    const { events } = await watching.client.resource('events/db.error')
    return events.find(
      ({ data }: { data: { session_id: string } }) => data.session_id === session_id,
    )
  })
  expect(event.data).toMatchObject({ code: 'session_lost' })
  await living.client.tool('end_db_session', { session_id: own.session_id, outcome: 'commit' })
  expect(await recordOf(own.session_id)).toBe('committed')
  await Promise.all([living.close(), watching.close()])
})

test('alone, the next start does', async () => {
  const { holder, session_id } = await killHolder()
  await holder.start()
  await waitFor(async () => (await recordOf(session_id)) === 'lost', { what: 'a closed record' })
  await holder.kill()
})

test('a server whose event log has just lost its connection is not dead', async () => {
  const living = await startApp({ database })
  const watching = await startApp({ database })
  const { session_id } = await living.client.tool('start_db_session')
  const closed = await killHolder()
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'catalyst-db events'`,
  )
  await waitFor(async () => (await recordOf(closed.session_id)) === 'lost')
  expect(await recordOf(session_id)).toBeNull()
  await living.client.tool('end_db_session', { session_id, outcome: 'rollback' })
  expect(await recordOf(session_id)).toBe('rolled_back')
  await Promise.all([living.close(), watching.close()])
})
