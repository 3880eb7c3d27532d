import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'
import { story, uniqueHeadline } from '../market/support.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { detection, uniqueType } from '../trading/pattern-support.js'
import { uniqueSymbol } from '../trading/support.js'

const { client, database } = await startApp()
const second = await startApp({ database })

const redis = new Redis(inject('redisPath'), { lazyConnect: true })
const prefix = `catalyst:${database.name}:`
const ttlOf = (key: string) => redis.ttl(`${prefix}${key}`)

const tell = async (symbol: string): Promise<string> =>
  (await client.tool('persist_news_catalyst', story({ symbol, headline: uniqueHeadline() })))
    .news_id

/** Stored after the answer, so a moment later. */
const isCached = (key: string) =>
  waitFor(() => client.resource(`cache/entries/${key}`).catch(() => null), { what: key })

test('a result is kept under its key, for the time its client says, for all servers', async () => {
  const symbol = uniqueSymbol()
  const call = { symbol, pattern_type: 'Bull Flag', result: { score: 0.8, ключ: [1, null] } }
  const key = `pattern:${symbol}:bull_flag`
  expect(await client.tool('cache_pattern_result', call)).toEqual({
    cached: true,
    key,
    reason: null,
  })
  expect(await ttlOf(key)).toBeGreaterThan(240)
  for (const server of [client, second.client]) {
    expect(await server.resource(`catalyst://cache/entries/${key}`)).toEqual({
      key,
      cache_type: 'patterns',
      value: call.result,
      cached_by: 'client',
      cached_at: expect.stringMatching(/Z$/),
      ttl_seconds: expect.toSatisfy((left: number) => left > 240 && left <= 300),
      built_from: expect.any(Number),
    })
  }
  await client.tool('cache_pattern_result', { ...call, ttl: 20 })
  expect(await ttlOf(key)).toBeLessThanOrEqual(20)
})

test('a result stored right after a write of its symbol is not outdated by that write', async () => {
  const symbol = uniqueSymbol()
  const key = `pattern:${symbol}:bull_flag`
  for (let i = 0; i < 5; i++) {
    const detected_at = new Date(Date.UTC(2025, 6, 8, 14, i * 10)).toISOString()
    await client.tool('persist_pattern_detection', detection({ symbol, detected_at }))
    const call = { symbol, pattern_type: 'bull_flag', result: { i } }
    expect(await client.tool('cache_pattern_result', call)).toMatchObject({ cached: true })
    expect(await second.client.resource(`cache/entries/${key}`)).toMatchObject({ value: { i } })
  }
})

test('reads leave entries of 300 or 3600 s, less up to a tenth, that say what they were built from', async () => {
  const symbol = uniqueSymbol()
  const news_id = await tell(symbol)
  const pattern_type = uniqueType()
  const { pattern_id } = await client.tool('persist_pattern_detection', {
    ...detection({ symbol, pattern_type }),
  })
  await client.tool('update_pattern_outcome', { pattern_id, success: true })
  const reads = {
    [`news:symbol:${symbol}:50`]: `news?symbol=${symbol}`,
    [`news:${news_id}`]: `news/${news_id}`,
    [`pattern:statistics:${pattern_type}::50`]: `patterns/statistics?pattern_type=${pattern_type}`,
  }
  for (const [key, uri] of Object.entries(reads)) {
    const value = await waitFor(async () => {
      const answer = await client.resource(uri)
      return (await isCachedNow(key)) && answer
    })
    const entry = await isCached(key)
    expect(entry).toMatchObject({ value, cached_by: 'server' })
    const ttl = await ttlOf(key)
    const full = key.startsWith('news:') ? 3_600 : 300
    expect(ttl).toBeGreaterThan(full * 0.9 - 10)
    expect(ttl).toBeLessThanOrEqual(full)
  }
})

const isCachedNow = async (key: string) =>
  client.resource(`cache/entries/${key}`).then(
    () => true,
    () => false,
  )

test('keys are listed in order, page by page, by pattern, and without the namespace', async () => {
  const symbol = uniqueSymbol()
  const types = ['a', 'b', 'c', 'd', 'e'].map((letter) => `${letter}_type`)
  for (const pattern_type of types) {
    await client.tool('cache_pattern_result', { symbol, pattern_type, result: {} })
  }
  const pattern = encodeURIComponent(`pattern:${symbol}:*`)
  const all = types.map((type) => `pattern:${symbol}:${type}`)
  expect(await client.resource(`cache/keys?pattern=${pattern}`)).toEqual({
    keys: all,
    total_matching: 5,
    complete: true,
    next_cursor: null,
  })
  const seen: string[] = []
  let cursor = ''
  do {
    const page = await client.resource(`cache/keys?pattern=${pattern}&limit=2${cursor}`)
    expect(page.total_matching).toBe(5)
    seen.push(...page.keys)
    cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
  } while (cursor !== '')
  expect(seen).toEqual(all)
  const { keys, total_matching } = await client.resource('cache/keys')
  expect(total_matching).toBeGreaterThanOrEqual(5)
  expect(keys.every((key: string) => /^(pattern|news|indicators|sentiment):/.test(key))).toBe(true)
})

test('hits and misses are counted by type', async () => {
  const { client: own } = await startApp({ database })
  const symbol = uniqueSymbol()
  await tell(symbol)
  const read = () => own.resource(`news?symbol=${symbol}`)
  const newsReads = async () =>
    (await own.resource('cache/stats')).redis_info.by_cache_type.news as Record<string, number>
  await read()
  expect(await newsReads()).toMatchObject({ hits: 0, misses: 1 })
  await waitFor(async () => {
    await read()
    return (await newsReads()).hits
  })
  const { redis_info } = await own.resource('cache/stats')
  expect(redis_info.by_cache_type.news.keys).toBeGreaterThan(0)
  expect(redis_info.by_cache_type.sentiment).toMatchObject({ hits: 0, misses: 0 })
})

test('what is filtered by more than a symbol, a later page, and what a session reads is not cached', async () => {
  const symbol = uniqueSymbol()
  await tell(symbol)
  await client.resource(`news?symbol=${symbol}&min_score=1`)
  await client.resource(`news?symbol=${symbol}&source=Reuters`)
  const { session_id } = await client.tool('start_db_session')
  const operations = [{ resource: `news?symbol=${symbol}` }]
  await client.tool('execute_transaction', { session_id, operations })
  const pattern = encodeURIComponent(`news:symbol:${symbol}:*`)
  expect((await client.resource(`cache/keys?pattern=${pattern}`)).keys).toEqual([])
  await client.resource(`news?symbol=${uniqueSymbol()}`)
})
