import { fileURLToPath } from 'node:url'
import { expect, expectTypeOf, test } from 'vitest'
import { MCPSession, ToolError } from '../../src/client/index.js'
import { article } from '../support/news.js'
import { servedProduct, withSession } from './support.js'

const story = (overrides: Record<string, unknown> = {}) => article(overrides) as never

test('reads, writes and refusals are as the server tells them, and typed by the registry', async () => {
  const { served } = await servedProduct()
  await withSession(served.url, async (session) => {
    const status = await session.resource('db/status')
    expectTypeOf(status.status).toEqualTypeOf<'healthy' | 'degraded' | 'unhealthy'>()
    expect(status.status).toMatch(/healthy|degraded/)
    const { news_id } = await session.tool('persist_news_catalyst', story({ symbol: 'AAPL' }))
    expectTypeOf(news_id).toBeString()
    const read = await session.resource(`news/${news_id}`)
    expectTypeOf(read.headline).toBeString()
    expect(read.news_id).toBe(news_id)
    const { items } = await session.resource('news?symbol=AAPL')
    expect(items).toHaveLength(1)
    const refused = session.tool('persist_news_catalyst', story({ source: '' }))
    await expect(refused).rejects.toThrow(ToolError)
    await expect(refused).rejects.toMatchObject({ code: 'invalid_input', retryable: false })
  })
})

test('a transaction is committed when its work returns, and rolled back when it throws', async () => {
  const { served } = await servedProduct()
  await withSession(served.url, async (session) => {
    const seen = await session.transaction(async (tx) => {
      await tx.tool('persist_news_catalyst', story({ symbol: 'KEPT' }))
      const { items } = await tx.resource('news?symbol=KEPT')
      return items.length
    })
    expect(seen).toBe(1)
    const undone = session.transaction(async (tx) => {
      await tx.tool('persist_news_catalyst', story({ symbol: 'GONE' }))
      throw new Error('changed my mind')
    })
    await expect(undone).rejects.toThrow('changed my mind')
    expect((await session.resource('news?symbol=KEPT')).items).toHaveLength(1)
    expect((await session.resource('news?symbol=GONE')).items).toHaveLength(0)
    expect((await session.resource('db/sessions/active')).sessions).toHaveLength(0)
  })
})

test('calls and events outlive a killed server: nothing is lost, doubled or told twice', async () => {
  const { served, database } = await servedProduct()
  await withSession(served.url, async (session) => {
    const stop = new AbortController()
    const told: string[] = []
    const first = await session.tool('list_events')
    const listening = (async () => {
      const events = session.events({
        types: ['db.transaction'],
        after: first.next_cursor,
        signal: stop.signal,
      })
      for await (const { data } of events) {
        for (const { id } of (data.refs ?? []) as { id: string }[]) told.push(id)
        if (told.length === 20) return
      }
    })()
    const stored: string[] = []
    for (let at = 0; at < 20; at++) {
      const call = session.tool('persist_news_catalyst', story({ symbol: `K${at}` }))
      if (at === 7 || at === 13) {
        await served.kill()
        await served.start()
      }
      stored.push((await call).news_id)
    }
    await listening
    stop.abort()
    expect(told).toEqual(stored)
    const [{ count } = { count: 0 }] = await database.query<{ count: number }>(
      'select count(*)::int as count from catalyst.news_articles',
    )
    expect(count).toBe(20)
  })
})

test('long work is awaited with its progress, or followed by its job', async () => {
  const { served } = await servedProduct()
  await withSession(served.url, async (session) => {
    const done = await session.tool('warm_cache', { symbols: ['AAPL'], cache_types: ['news'] })
    expect(done.duration_ms).toBeTypeOf('number')
    await expect(session.job('job_00000000-0000-7000-8000-000000000000')).rejects.toMatchObject({
      code: expect.stringMatching(/not_found|invalid_input/),
    })
  })
})

test('a server is started by its command, and ends with the session', async () => {
  const { env } = await servedProduct()
  const command = process.execPath
  const args = [fileURLToPath(new URL('../../dist/main.js', import.meta.url))]
  await using session = await MCPSession.open({ command, args, env: { ...env, PATH: '' } })
  expect(await session.resource('db/status')).toHaveProperty('status')
})

test('a server that is not there is named at once', async () => {
  await expect(MCPSession.open({ url: 'http://127.0.0.1:9/mcp' })).rejects.toThrow()
})
