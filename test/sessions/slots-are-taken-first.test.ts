import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { repeat, serve } from '../failures/serving.js'
import type { TestClient } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const database = await createDatabase()

const POOL = 6
const HALF = POOL / 2

async function serveThroughProxy() {
  const proxy = await FaultProxy.forThisTest(database.url)
  const served = await serve(proxy.url(database.name), { CATALYST_POOL_MAX: String(POOL) })
  return { proxy, client: await served.connect() }
}

/** Opens a transaction in each of so many sessions; answers the sessions. */
async function holdTransactions(client: TestClient, count: number): Promise<string[]> {
  const held: string[] = []
  for (let i = 0; i < count; i++) {
    const { answer } = await repeat(client, 'start_db_session', {})
    const { session_id } = answer
    await client.tool('persist_news_catalyst', { ...article({ symbol: `S${i}` }), session_id })
    held.push(session_id)
  }
  return held
}

const poolOf = async (client: TestClient) => (await client.resource('db/status')).connection_pool

test('thirty sessions that start at once take half of the pool at most, and nobody waits for them', async () => {
  const { proxy, client } = await serveThroughProxy()
  await client.tool('persist_news_catalyst', article())
  proxy.latencyMs = 2
  const starts = Array.from({ length: 30 }, () => client.tool('start_db_session'))
  const written = client.tool('persist_news_catalyst', article({ symbol: 'MSFT' }))
  const sessions = await Promise.all(starts)
  await written
  proxy.latencyMs = 0
  expect(new Set(sessions.map(({ session_id }) => session_id)).size).toBe(30)
  expect((await poolOf(client)).active).toBeLessThanOrEqual(HALF + 1)
  // Each of them can be used, one after the other.
  for (const { session_id } of sessions) {
    await client.tool('persist_news_catalyst', { ...article(), session_id })
    await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  }
})

test('starts that fail give their slots back', async () => {
  const { proxy, client } = await serveThroughProxy()
  await client.tool('persist_news_catalyst', article())
  proxy.isClosed = true
  proxy.resetAll()
  const starts = Array.from({ length: 10 }, () => client.refused('start_db_session'))
  for (const refusal of await Promise.all(starts)) expect(refusal.code).toBe('unavailable')
  proxy.isClosed = false
  expect(await holdTransactions(client, HALF)).toHaveLength(HALF)
  expect(await client.refused('start_db_session')).toMatchObject({ code: 'rate_limited' })
})

test('starts whose caller has gone leave no session and no slot behind', async () => {
  const { client } = await serveThroughProxy()
  await client.tool('persist_news_catalyst', article())
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  await other.query('begin; lock table catalyst.db_sessions in exclusive mode')
  const gone = new AbortController()
  const starts = Array.from({ length: 4 }, () =>
    client.sdk.callTool({ name: 'start_db_session', arguments: {} }, { signal: gone.signal }),
  )
  const ended = Promise.allSettled(starts)
  const sessions = async () => (await client.resource('db/sessions/active')).sessions.length
  await waitFor(async () => (await sessions()) === starts.length)
  gone.abort()
  await ended
  await waitFor(async () => (await sessions()) === 0)
  await other.end()
  await waitFor(async () => (await poolOf(client)).active === 0)
  expect(await holdTransactions(client, HALF)).toHaveLength(HALF)
})

test('what half of the pool is for is not taken by sessions whose transactions are all open at once', async () => {
  const { client } = await serveThroughProxy()
  const sessions = await Promise.all(
    Array.from({ length: 12 }, () => client.tool('start_db_session')),
  )
  const uses = await Promise.allSettled(
    sessions.map(({ session_id }, i) =>
      client.tool('persist_news_catalyst', { ...article({ symbol: `U${i}` }), session_id }),
    ),
  )
  const refused = uses.flatMap((use) => (use.status === 'rejected' ? [String(use.reason)] : []))
  expect(refused.length).toBe(sessions.length - HALF)
  for (const reason of refused) expect(reason).toContain('rate_limited')
  await client.tool('persist_news_catalyst', article())
  onTestFinished(async () => {
    for (const { session_id } of sessions) {
      await client.tool('end_db_session', { session_id, outcome: 'rollback' }).catch(() => {})
    }
  })
})
