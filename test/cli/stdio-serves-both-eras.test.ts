import { expect, inject, test } from 'vitest'
import { connectStdio } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const database = await createDatabase()
const env = {
  DATABASE_URL: database.url,
  REDIS_URL: `unix://${inject('redisPath')}`,
  LOG_LEVEL: 'debug',
}

/** What the backend of a session does; null once it is gone. */
const stateOf = async (backendPid: number) =>
  (
    await database.query<{ state: string }>(`select state from pg_stat_activity where pid = $1`, [
      backendPid,
    ])
  )[0]?.state ?? null

test.for(['legacy', 'modern'] as const)(
  'a client of the %s era persists and reads over a real pipe',
  async (era) => {
    const { client } = await connectStdio(era, env)
    const story = article({ headline: `Told over stdio in the ${era} era` })
    const first = await client.tool('persist_news_catalyst', story)
    expect(first.duplicate).toBe(false)
    expect((await client.tool('persist_news_catalyst', story)).news_id).toBe(first.news_id)
    expect((await client.resource('catalyst://db/status')).postgresql.status).toBe('up')
    const again = await client.tool('read_resource', { uri: 'db/status' })
    expect(again.postgresql.status).toBe('up')
  },
)

test.for(['legacy', 'modern'] as const)(
  'a subscriber of the %s era is told of an event over stdio',
  async (era) => {
    const { client } = await connectStdio(era, env)
    let updates = 0
    client.sdk.setNotificationHandler('notifications/resources/updated', () => {
      updates++
    })
    if (era === 'legacy') await client.sdk.subscribeResource({ uri: 'catalyst://events' })
    else await client.sdk.listen({ resourceSubscriptions: ['catalyst://events'] })
    await client.tool('persist_news_catalyst', article({ headline: `Subscribed in ${era}` }))
    await waitFor(() => updates > 0)
  },
)

test('when the client leaves, its sessions are rolled back and the process ends', async () => {
  const { client, pid } = await connectStdio('modern', env)
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  const { backend_pid } = (await client.resource(`db/sessions/${session_id}`)).connection_info
  expect(await stateOf(backend_pid)).toBe('idle in transaction')
  await client.close()
  await waitFor(async () => (await stateOf(backend_pid)) === null)
  await waitFor(() => !isAlive(pid))
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
