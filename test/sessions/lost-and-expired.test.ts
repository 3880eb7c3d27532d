import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const { client, database } = await startApp()
const impatient = await startApp({ database, env: { CATALYST_SESSION_IDLE_SECONDS: '5' } })
const brief = await startApp({ database, env: { CATALYST_SESSION_MAX_SECONDS: '5' } })

const eventsOfType = async (type: string) => (await client.resource(`events/${type}`)).events
/** What the backend of a session does; null once it is gone. */
const stateOf = async (pid: number) =>
  (
    await database.query<{ state: string }>(`select state from pg_stat_activity where pid = $1`, [
      pid,
    ])
  )[0]?.state ?? null

test('an abandoned session is rolled back, its connection freed, and its next use says so', async () => {
  const { client } = impatient
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  const { backend_pid } = (await client.resource(`db/sessions/${session_id}`)).connection_info
  expect(await stateOf(backend_pid)).toBe('idle in transaction')
  await waitFor(async () => (await stateOf(backend_pid)) === null)
  expect(await client.refused('persist_news_catalyst', { ...article(), session_id })).toMatchObject(
    {
      code: 'session_expired',
      message: expect.stringContaining('rolled back'),
    },
  )
  const [event] = (await waitFor(async () => {
    const events = await eventsOfType('db.session.expired')
    return events.length > 0 && events
  })) as { data: unknown }[]
  expect(event?.data).toMatchObject({ session_id, limit: 'idle', transaction_rolled_back: true })
})

test('a session in constant use still ends at its absolute limit', async () => {
  const { client } = brief
  const { session_id } = await client.tool('start_db_session')
  const error = await waitFor(async () => {
    try {
      await client.tool('execute_transaction', { session_id, operations: [] })
      return null
    } catch (error) {
      return error
    }
  })
  expect(String(error)).toContain('session_expired')
})

test('a killed backend is a lost session: nothing stays, the next use says so once and for all', async () => {
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', {
    ...article({ headline: 'Lost for good' }),
    session_id,
  })
  const { connection_info } = await client.resource(`db/sessions/${session_id}`)
  await database.query('select pg_terminate_backend($1)', [connection_info.backend_pid])
  const use = () => client.refused('persist_news_catalyst', { ...article(), session_id })
  expect(await use()).toMatchObject({ code: 'session_lost' })
  expect(await use()).toMatchObject({ code: 'session_lost' })
  const rows = await database.query(
    `select 1 from catalyst.news_articles where headline = 'Lost for good'`,
  )
  expect(rows).toEqual([])
  const events = await waitFor(async () => {
    const found = await eventsOfType('db.error')
    return found.length > 0 && found
  })
  expect(events).toHaveLength(1)
})
