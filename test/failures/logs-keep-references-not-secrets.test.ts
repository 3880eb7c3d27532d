import { expect, inject, test, vi } from 'vitest'
import { TestClient } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { ServedProcess } from '../support/served.js'
import { waitFor } from '../support/wait-for.js'

vi.setConfig({ testTimeout: 120_000 })

async function serve(level: string) {
  const database = await createDatabase()
  const served = await ServedProcess.start({
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
    LOG_LEVEL: level,
  })
  const client = await TestClient.connect(served.url, 'modern')
  return { database, served, client }
}

test.each(['info', 'error'])(
  'at %s the log has the reference of a refused call, without a stack',
  async (level) => {
    const { client, served } = await serve(level)
    const { reference } = await client.refused('persist_news_catalyst', { nonsense: 1 })
    const line = await waitFor(() =>
      served.stderr.split('\n').find((one) => one.includes(reference)),
    )
    expect(JSON.parse(line)).toMatchObject({ level: 'info', err: { code: 'invalid_input' } })
    expect(line).not.toContain('stack')
    await client.close()
  },
)

test('handles and confirm tokens are never in it', async () => {
  const { client, served } = await serve('debug')
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  const asked = await client.refused('invalidate_cache', { pattern: '*' })
  expect(asked.confirm_token).toMatch(/^confirm_/)
  await client.refused('invalidate_cache', {
    pattern: '*',
    confirm_token: session_id,
  })
  await client.refused('end_db_session', { session_id: asked.confirm_token, outcome: 'commit' })
  await waitFor(() => served.stderr.includes(asked.reference))
  expect(served.stderr).not.toContain(asked.confirm_token)
  expect(served.stderr).not.toContain(session_id)
  await client.close()
})
