import { afterAll, beforeEach, expect, test } from 'vitest'
import { story, uniqueHeadline } from '../market/support.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { uniqueSymbol } from '../trading/support.js'
import { RedisServer } from './redis-server.js'

const redis = await RedisServer.create()
await redis.start()
afterAll(() => redis.dispose())
const { client } = await startApp({ env: { REDIS_URL: `unix://${redis.socket}` } })

const call = () => ({ symbol: uniqueSymbol(), pattern_type: 'flag', result: { a: 1 } })
/** Another connection has to be made first. */
const ready = () =>
  waitFor(async () => (await client.tool('cache_pattern_result', call())).cached, { what: 'Redis' })

beforeEach(async () => {
  redis.thaw()
  await redis.kill()
  await redis.start()
  await ready()
})

const tell = (symbol: string) =>
  client.tool('persist_news_catalyst', story({ symbol, headline: uniqueHeadline() }))

/** Everything that needs the cache and everything that does not, while it is away. */
async function answersWithout(reason: RegExp) {
  const symbol = uniqueSymbol()
  await tell(symbol)
  expect((await client.resource(`news?symbol=${symbol}`)).items).toHaveLength(1)
  expect(await client.tool('cache_pattern_result', call())).toEqual({
    cached: false,
    key: expect.any(String),
    reason: expect.stringMatching(reason),
  })
  const invalidated = await client.tool('invalidate_cache', { symbol })
  expect(invalidated).toEqual({
    keys_deleted: 0,
    complete: false,
    reason: expect.stringMatching(reason),
  })
  const warmed = await client.tool('warm_cache', { symbols: [symbol], cache_types: ['news'] })
  expect(warmed).toMatchObject({ warmed_entries: 0, skipped: [{ symbol, cache_type: 'news' }] })
  await expect(client.resource('cache/keys')).rejects.toThrow(reason)
  await expect(client.resource('cache/entries/news:nws_1')).rejects.toThrow('did not answer')
  expect(await client.resource('cache/stats')).toMatchObject({
    status: expect.stringMatching(/down|loading/),
    reason: expect.any(String),
    failed_reads: expect.toSatisfy((count: number) => count > 0),
  })
  expect(await client.resource('db/status')).toMatchObject({
    status: 'degraded',
    reasons: [expect.stringMatching(/^The cache is (down|loading)/)],
  })
}

test('dead: reads come from PostgreSQL, and each answer says why it is not cached', async () => {
  await redis.kill()
  await answersWithout(/Nothing listens|was lost|no connection/)
})

test('frozen: nobody waits until it goes on, and nothing fails', async () => {
  redis.freeze()
  await answersWithout(/did not answer in time|was lost|no connection/)
})

test('out of memory: not cached, why, and back once there is room', async () => {
  await redis.send((one) => one.config('SET', 'maxmemory-policy', 'noeviction'))
  await redis.send((one) => one.config('SET', 'maxmemory', '1mb'))
  const given = call()
  expect(await client.tool('cache_pattern_result', given)).toMatchObject({
    cached: false,
    reason: 'Redis is out of memory and evicts nothing.',
  })
  const symbol = uniqueSymbol()
  await tell(symbol)
  expect((await client.resource(`news?symbol=${symbol}`)).items).toHaveLength(1)
  await waitFor(async () =>
    (await client.resource('db/status')).reasons.includes(
      'The memory of the cache is nearly full.',
    ),
  )
  const { events } = await client.resource('events/cache.memory.high')
  expect(events).toMatchObject([{ data: { state: 'on', cause: 'out_of_memory' } }])
  await redis.send((one) => one.config('SET', 'maxmemory', '0'))
  expect(await client.tool('cache_pattern_result', given)).toMatchObject({ cached: true })
})

test('an invalidation made while Redis was away holds when it comes back with its old data', async () => {
  const given = call()
  const key = `pattern:${given.symbol}:flag`
  expect(await client.tool('cache_pattern_result', given)).toMatchObject({ cached: true })
  await redis.send((one) => one.save())
  await redis.kill()
  const answer = await client.tool('invalidate_cache', { symbol: given.symbol })
  expect(answer).toMatchObject({ keys_deleted: 0, complete: false })
  await redis.start()
  await ready()
  await expect(client.resource(`cache/entries/${key}`)).rejects.toThrow('is outdated')
  expect((await client.resource('cache/keys')).keys).toContain(key)
})

test('flushed: sessions, events and keys of idempotency are untouched', async () => {
  const { session_id } = await client.tool('start_db_session')
  await redis.send((one) => one.flushall())
  const symbol = uniqueSymbol()
  const args = story({ symbol, headline: uniqueHeadline() })
  const first = await client.tool('persist_news_catalyst', { ...args, idempotency_key: symbol })
  await redis.send((one) => one.flushall())
  const again = await client.tool('persist_news_catalyst', { ...args, idempotency_key: symbol })
  expect(again).toEqual({ ...first, replayed: true })
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
})
