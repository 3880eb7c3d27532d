import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'

const { client, database } = await startApp()

const countNews = async () =>
  (await database.query<{ n: number }>('select count(*)::int as n from catalyst.news_articles'))[0]
    ?.n

test('operations of one call are committed together and report PostgreSQL’s transaction id', async () => {
  const before = (await countNews()) ?? 0
  const { session_id, expires_in } = await client.tool('start_db_session')
  expect(expires_in).toBe(300)
  const answer = await client.tool('execute_transaction', {
    session_id,
    operations: [
      { tool: 'persist_news_catalyst', params: article() },
      { tool: 'persist_news_catalyst', params: article() },
      { resource: 'db/status' },
    ],
  })
  expect(answer.committed).toBe(true)
  expect(answer.results).toHaveLength(3)
  expect(await countNews()).toBe(before + 2)
  const [row] = await database.query<{ status: string }>(
    'select pg_xact_status($1::xid8) as status',
    [answer.transaction_id],
  )
  expect(row?.status).toBe('committed')
})

test('one failing operation rolls all of them back, names its index, and leaves the session usable', async () => {
  const before = await countNews()
  const { session_id } = await client.tool('start_db_session')
  const error = await client.refused('execute_transaction', {
    session_id,
    operations: [
      { tool: 'persist_news_catalyst', params: article() },
      { tool: 'persist_news_catalyst', params: article({ symbol: 'not a symbol' }) },
    ],
  })
  expect(error).toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('operations[1]'),
  })
  expect(error.message).toContain('symbol')
  expect(await countNews()).toBe(before)
  await client.tool('execute_transaction', {
    session_id,
    operations: [{ tool: 'persist_news_catalyst', params: article() }],
  })
  expect(await countNews()).toBe((before ?? 0) + 1)
})

test('commit: false leaves the transaction open, unseen by others, until the session is ended with commit', async () => {
  const before = (await countNews()) ?? 0
  const { session_id } = await client.tool('start_db_session')
  const open = await client.tool('execute_transaction', {
    session_id,
    operations: [{ tool: 'persist_news_catalyst', params: article() }],
    commit: false,
  })
  expect(open.committed).toBe(false)
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  expect(await countNews()).toBe(before)
  const details = await client.resource(`db/sessions/${session_id}`)
  expect(details.transaction_state).toBe('active')
  expect(details.locks_held.length).toBeGreaterThan(0)
  expect(await client.tool('end_db_session', { session_id, outcome: 'commit' })).toEqual({
    outcome: 'commit',
    operations_count: 2,
  })
  expect(await countNews()).toBe(before + 2)
})

test('a rolled back session leaves nothing, and its handle is unknown afterwards', async () => {
  const before = await countNews()
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  expect(await countNews()).toBe(before)
  expect(await client.refused('persist_news_catalyst', { ...article(), session_id })).toMatchObject(
    {
      code: 'not_found',
    },
  )
})

test('a tool that fails inside a session undoes only itself', async () => {
  const before = (await countNews()) ?? 0
  const { session_id } = await client.tool('start_db_session')
  const key = `key-${session_id}`
  await client.tool('persist_news_catalyst', { ...article(), session_id, idempotency_key: key })
  const error = await client.refused('persist_news_catalyst', {
    ...article(),
    session_id,
    idempotency_key: key,
  })
  expect(error.code).toBe('conflict')
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await countNews()).toBe(before + 1)
})

test('a read-only session refuses writes, and an unknown handle tells nothing', async () => {
  const { session_id } = await client.tool('start_db_session', { read_only: true })
  expect(await client.refused('persist_news_catalyst', { ...article(), session_id })).toMatchObject(
    {
      code: 'precondition_failed',
    },
  )
  expect(
    await client.refused('end_db_session', { session_id: 'sess_0', outcome: 'commit' }),
  ).toMatchObject({ code: 'not_found' })
})
