import { expect, test } from 'vitest'
import type { TestClient } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { type Fault, FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { repeat, serve } from './serving.js'

const database = await createDatabase()

const isStored = async (headline: string): Promise<boolean> =>
  (await database.query('select 1 from catalyst.news_articles where headline = $1', [headline]))
    .length > 0

const recordOf = async (sessionId: string) =>
  (
    await database.query<{ ended_as: string | null }>(
      'select ended_as from catalyst.db_sessions where session_id = $1',
      [sessionId],
    )
  )[0]?.ended_as

/** What was told of a session. */
const errorsOf = (sessionId: string) =>
  database.query<{ code: string; message: string }>(
    `select data ->> 'code' as code, data ->> 'message' as message
     from (
       select type, data from catalyst.events
       union all
       select type, data from catalyst.event_outbox
     ) as told
     where type = 'db.error' and data ->> 'session_id' = $1`,
    [sessionId],
  )

/** A session that holds a story, behind a network that fails on demand. */
async function openSession() {
  const proxy = await FaultProxy.forThisTest(database.url)
  const client = await (await serve(proxy.url(database.name))).connect()
  const { session_id } = await client.tool('start_db_session')
  const story = article()
  await client.tool('persist_news_catalyst', { ...story, session_id })
  await waitFor(async () => (await client.resource('db/status')).connection_pool.active === 1)
  return { proxy, client, session_id, headline: String(story.headline) }
}

/** The connection is reset at a step of the session's commit, and the database is away from then on. */
function loseDatabase(proxy: FaultProxy, fault: Pick<Fault, 'at' | 'deliver'>): void {
  let isAway = false
  const at: Fault['at'] = (passing) => {
    if (isAway || !fault.at(passing)) return false
    isAway = true
    proxy.isClosed = true
    setImmediate(() => proxy.resetAll())
    return true
  }
  proxy.set({ at, deliver: fault.deliver, how: 'reset' })
}

const commit = (client: TestClient, session_id: string, key?: string) =>
  client.refused('end_db_session', {
    session_id,
    outcome: 'commit',
    ...(key === undefined ? {} : { idempotency_key: key }),
  })

test('a commit that nobody can say anything about is unknown, to the owner, in the log and on record; its key tells the truth', async () => {
  const { proxy, client, session_id, headline } = await openSession()
  loseDatabase(proxy, {
    at: ({ sinceCommit, isOlder }) => isOlder && sinceCommit === 2,
    deliver: false,
  })
  const first = await commit(client, session_id, 'kept')
  expect(first).toMatchObject({ code: 'outcome_unknown', retryable: true })
  expect(first.hint).toContain('Do not repeat the work')
  expect(await isStored(headline)).toBe(true)
  const use = () => client.refused('persist_news_catalyst', { ...article(), session_id })
  expect(await use()).toMatchObject({ code: 'outcome_unknown', retryable: false })
  proxy.isClosed = false
  await waitFor(async () => (await recordOf(session_id)) === 'unknown')
  const later = await waitFor(async () => {
    const refusal = await use()
    return refusal.code !== 'unavailable' && refusal
  })
  expect(later).toMatchObject({ code: 'outcome_unknown' })
  const errors = await waitFor(async () => {
    const found = await errorsOf(session_id)
    return found.length > 0 && found
  })
  expect(errors).toEqual([{ code: 'outcome_unknown', message: expect.stringContaining('unknown') }])
  const args = { session_id, outcome: 'commit', idempotency_key: 'kept' }
  expect((await repeat(client, 'end_db_session', args)).answer).toEqual({
    outcome: 'commit',
    operations_count: 1,
    replayed: true,
  })
})

test('a commit that never arrived is unknown as long as nobody can say so; its key then says that it was not committed', async () => {
  const { proxy, client, session_id, headline } = await openSession()
  loseDatabase(proxy, {
    at: ({ sinceCommit, isOlder }) => isOlder && sinceCommit === 1,
    deliver: false,
  })
  expect(await commit(client, session_id, 'dropped')).toMatchObject({ code: 'outcome_unknown' })
  proxy.isClosed = false
  await waitFor(async () => (await recordOf(session_id)) === 'unknown')
  const found = await waitFor(async () => {
    const refusal = await commit(client, session_id, 'dropped')
    return refusal.code !== 'unavailable' && refusal
  })
  expect(found).toMatchObject({
    code: 'session_lost',
    hint: expect.stringContaining('rolled back'),
  })
  expect(await isStored(headline)).toBe(false)
})

test('a connection that went silent after COMMIT is given up, and the fate of the commit asked for', async () => {
  const { proxy, client, session_id, headline } = await openSession()
  proxy.set({
    at: ({ sinceCommit, isOlder }) => isOlder && sinceCommit === 2,
    deliver: false,
    how: 'silence',
  })
  const answer = await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(answer).toEqual({ outcome: 'commit', operations_count: 1 })
  expect(await isStored(headline)).toBe(true)
  await waitFor(async () => (await recordOf(session_id)) === 'committed')
  expect(await errorsOf(session_id)).toEqual([])
  const use = await client.refused('persist_news_catalyst', { ...article(), session_id })
  expect(use).toMatchObject({ code: 'not_found', message: 'The session has ended.' })
})

test('a session whose connection is gone before COMMIT is sent was rolled back, whoever can be asked', async () => {
  const { proxy, client, session_id, headline } = await openSession()
  proxy.isClosed = true
  proxy.resetAll()
  const refusal = await commit(client, session_id)
  expect(refusal).toMatchObject({ code: 'session_lost' })
  expect(refusal.message).toContain('rolled back')
  proxy.isClosed = false
  await waitFor(async () => (await recordOf(session_id)) === 'lost')
  expect(await isStored(headline)).toBe(false)
})
