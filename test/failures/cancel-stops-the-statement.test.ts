import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../../src/errors.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { sql } from '../../src/platform/postgres/sql.js'
import type { Era, TestClient } from '../support/app.js'
import { Blocked } from '../support/blocked.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { open, type Served } from './serving.js'

let database: TestDatabase
let served: Served

beforeAll(async () => {
  database = await createDatabase()
  served = await open(database.url)
})

afterAll(async () => {
  await served.close()
  await database.drop()
})

const articles = async () =>
  (await database.query<{ n: number }>('select count(*)::int as n from catalyst.news_articles'))[0]
    ?.n

/** The pool gave every connection back, and the next call on them works. */
async function expectClean(client: TestClient): Promise<void> {
  await waitFor(async () => (await client.resource('db/status')).connection_pool.active === 0, {
    what: 'a pool with nothing in use',
  })
  const before = (await articles()) ?? 0
  await client.tool('persist_news_catalyst', article())
  expect(await articles()).toBe(before + 1)
}

/** Runs a call into a lock, ends it, and waits until PostgreSQL does nothing more of it. */
async function expectStopped(
  client: TestClient,
  [name, args]: readonly [string, Record<string, unknown>],
  end: (call: { readonly controller: AbortController }) => Promise<void> | void,
): Promise<void> {
  const before = await articles()
  const blocked = await Blocked.articles(database.url)
  const controller = new AbortController()
  try {
    const call = client.sdk
      .callTool({ name, arguments: args }, { signal: controller.signal })
      .catch((error: unknown) => error)
    await blocked.hasWaiters()
    await end({ controller })
    await blocked.isQuiet()
    expect(await call).toBeInstanceOf(Error)
  } finally {
    await blocked.release()
  }
  expect(await articles()).toBe(before)
}

const batch = () => ({
  articles: Array.from({ length: 10_000 }, () => article()),
  deduplicate: true,
})

describe.each<Era>(['modern', 'legacy'])('%s client', (era) => {
  test('a cancelled call stops in PostgreSQL, leaves nothing, and its connection is clean', async () => {
    const client = await served.connect(era)
    await expectStopped(client, ['persist_news_catalyst', article()], ({ controller }) =>
      controller.abort(),
    )
    await expectClean(client)
  })

  test('a cancelled batch of 10 000 articles stops in PostgreSQL, and its connection is clean', async () => {
    const client = await served.connect(era)
    await expectStopped(client, ['persist_news_batch', batch()], ({ controller }) =>
      controller.abort(),
    )
    await expectClean(client)
  })

  test('a call of a client whose connection drops stops in PostgreSQL', async () => {
    const blocked = await Blocked.articles(database.url)
    try {
      const drop = await sendAndDrop(era)
      await blocked.hasWaiters()
      drop()
      await blocked.isQuiet()
    } finally {
      await blocked.release()
    }
    await expectClean(await served.connect(era))
  })

  test('a cancelled call in a session undoes itself alone: the session goes on', async () => {
    const client = await served.connect(era)
    const { session_id } = await client.tool('start_db_session')
    await client.tool('persist_news_catalyst', { ...article(), session_id })
    const before = (await articles()) ?? 0
    const call = await cancelledInSession(client, session_id)
    expect(call).toBeInstanceOf(Error)
    await client.tool('end_db_session', { session_id, outcome: 'commit' })
    expect(await articles()).toBe(before + 1)
    await expectClean(client)
  })
})

/** A batch whose insert waits for a unique key that another open transaction holds. */
async function cancelledInSession(client: TestClient, session_id: string): Promise<unknown> {
  const blocked = await Blocked.key(database.url, 'held')
  const controller = new AbortController()
  try {
    const args = { ...article(), session_id, idempotency_key: 'held' }
    const call = client.sdk
      .callTool({ name: 'persist_news_catalyst', arguments: args }, { signal: controller.signal })
      .catch((error: unknown) => error)
    await blocked.hasWaiters()
    controller.abort()
    // Its own patience with the key ends after 20 s.
    await waitFor(() => blocked.waiters().then((n) => n === 0), { timeoutMs: 15_000 })
    return await call
  } finally {
    await blocked.release()
  }
}

/** Sends a call over a connection of its own; answers what drops it. */
async function sendAndDrop(era: Era): Promise<() => void> {
  const controller = new AbortController()
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const post = (body: unknown, signal: AbortSignal | null = null) =>
    fetch(served.url, { method: 'POST', headers, body: JSON.stringify(body), signal })
  const params: Record<string, unknown> = { name: 'persist_news_catalyst', arguments: article() }
  if (era === 'legacy') {
    const clientInfo = { name: 'test', version: '0' }
    const handshake = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
    const hello = await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params: handshake })
    headers['mcp-session-id'] = hello.headers.get('mcp-session-id') ?? ''
    headers['mcp-protocol-version'] = '2025-11-25'
    await hello.text()
    await post({ jsonrpc: '2.0', method: 'notifications/initialized' })
  } else {
    headers['mcp-protocol-version'] = '2026-07-28'
    headers['mcp-method'] = 'tools/call'
    headers['mcp-name'] = 'persist_news_catalyst'
    params._meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
  }
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
  post(call, controller.signal)
    .then((response) => response.text())
    .catch(() => {})
  return () => controller.abort()
}

test('a deadline stops the statement in PostgreSQL and says so', async () => {
  const pool = new Database({ endpoint: parseDatabaseUrl(database.url), poolMax: 2 })
  const blocked = await Blocked.articles(database.url)
  try {
    const deadline = new AbortController()
    const call = pool
      .transaction((tx) => tx.run(sql`delete from catalyst.news_articles`), {
        signal: deadline.signal,
      })
      .catch((error: unknown) => error)
    await blocked.hasWaiters()
    deadline.abort(new AppError('timeout', 'too long'))
    await blocked.isQuiet()
    expect(await call).toMatchObject({ code: 'timeout' })
    expect(await pool.one(sql`select 1 as one`)).toEqual({ one: 1 })
    expect(pool.stats).toMatchObject({ total: 1, active: 0 })
  } finally {
    await blocked.release()
    await pool.close()
  }
})
