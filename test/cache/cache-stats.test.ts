import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { cacheStats } from '../../src/domains/cache/resources.js'
import { EVERYTHING } from '../../src/lib/scope.js'
import type { CacheEngine, CacheStore } from '../../src/platform/cache/cache-store.js'
import { MemoryCacheStore } from '../../src/platform/cache/memory.js'
import { RedisCacheStore } from '../../src/platform/cache/redis.js'
import { MINUTE } from './lifetime.js'
import { cacheParts } from './parts.js'
import { RedisServer } from './redis-server.js'

const caller = {
  principal: 'test',
  owner: 'test',
  requestId: 'req_test',
  signal: new AbortController().signal,
  scope: EVERYTHING,
  record: null,
  confirmedPlan: null,
  progress: () => undefined,
}

/** The resource as a client sees it: its input parsed, its answer checked by its own schema. */
function reader(store: CacheStore, engine: CacheEngine) {
  const { service } = cacheParts({ store, engine })
  const call = { ...caller, service, tx: null }
  return async () => cacheStats.output.parse(await cacheStats.read({} as never, call))
}

const server = await RedisServer.create()
beforeAll(() => server.start())
afterAll(() => server.dispose())

const of = (keys: number | null) => ({ keys, hits: 0, misses: 0 })
const UNKNOWN = {
  used_memory: null,
  used_memory_bytes: null,
  max_memory_bytes: null,
  hit_rate: null,
  evicted_keys: null,
  connected_clients: null,
  keys: null,
  keys_complete: null,
  by_cache_type: { patterns: of(null), indicators: of(null), sentiment: of(null), news: of(null) },
}

test('tells what the in-process cache holds', async () => {
  const store = new MemoryCacheStore({ maxBytes: 10 * 1024 * 1024 })
  await store.set('pattern:AAPL:flag', 'x'.repeat(2_000_000), MINUTE)
  await store.set('news:1', 'x', MINUTE)
  await store.get('news:1')
  expect(await reader(store, 'in-process')()).toEqual({
    status: 'ready',
    reason: null,
    since: expect.stringMatching(/Z$/),
    breaker: 'closed',
    engine: 'in-process',
    failed_reads: 0,
    failed_stores: 0,
    redis_info: {
      used_memory: '1.9 MB',
      used_memory_bytes: expect.any(Number),
      max_memory_bytes: 10 * 1024 * 1024,
      hit_rate: 1,
      evicted_keys: 0,
      connected_clients: null,
      keys: 2,
      keys_complete: true,
      by_cache_type: { patterns: of(1), indicators: of(0), sentiment: of(0), news: of(1) },
    },
  })
})

test('tells what Redis holds of ours', async () => {
  const store = new RedisCacheStore({ url: server.socket, namespace: 'dev' })
  await server.send((redis) => redis.set('pattern:of:another', 'theirs'))
  await store.set('indicators:AAPL:5m', 'x', MINUTE)
  await store.set('sentiment:AAPL', 'x', MINUTE)
  const answer = await reader(store, 'external')()
  await store.close()
  expect(answer).toMatchObject({
    status: 'ready',
    engine: 'external',
    redis_info: {
      used_memory: expect.stringMatching(/^\d+\.\d [kM]B$/),
      max_memory_bytes: null,
      connected_clients: 1,
      keys: 2,
      by_cache_type: { patterns: of(0), indicators: of(1), sentiment: of(1), news: of(0) },
    },
  })
})

test('answers with the reason and no figures while Redis is down, and recovers', async () => {
  await server.kill()
  const store = new RedisCacheStore({ url: server.socket, namespace: 'dev' })
  const read = reader(store, 'embedded')
  expect(await read()).toEqual({
    status: 'down',
    reason: 'Nothing listens at the address of the cache.',
    since: expect.any(String),
    breaker: expect.any(String),
    engine: 'embedded',
    failed_reads: 0,
    failed_stores: 0,
    redis_info: UNKNOWN,
  })
  await server.start()
  await vi.waitFor(async () => expect(await read()).toMatchObject({ status: 'ready' }), 60_000)
  await store.close()
})

test('a Redis that hides its figures is ready, with the reason and no figures', async () => {
  await server.send((redis) =>
    redis.acl('SETUSER', 'limited', 'on', '>secret', '~*', '+@all', '-info'),
  )
  const url = `${server.socket}?username=limited&password=secret`
  const store = new RedisCacheStore({ url, namespace: 'dev' })
  const answer = await reader(store, 'external')()
  await store.close()
  expect(answer).toMatchObject({
    status: 'ready',
    reason: 'The Redis user lacks the right to run INFO.',
    redis_info: UNKNOWN,
  })
})

test('readers who come together share one walk, the next one gets new figures', async () => {
  const store = new MemoryCacheStore()
  const walk = vi.spyOn(store, 'stats')
  const read = reader(store, 'in-process')
  await Promise.all([read(), read(), read()])
  expect(walk).toHaveBeenCalledTimes(1)
  await store.set('news:1', 'x', MINUTE)
  expect(await read()).toMatchObject({ redis_info: { keys: 1 } })
})
