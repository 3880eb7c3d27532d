import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { escapeGlob, globMatcher } from '../../src/platform/cache/glob.js'
import { RedisCacheStore } from '../../src/platform/cache/redis.js'
import { cacheStoreContract } from '../contracts/cache-store.contract.js'
import { MINUTE } from './lifetime.js'
import { RedisServer } from './redis-server.js'

const server = await RedisServer.create()
beforeAll(() => server.start())
afterAll(() => server.dispose())

const open = (namespace: string, walkLimitMs = 10_000) =>
  new RedisCacheStore({ url: server.socket, namespace, walkLimitMs })

const reset = async () => {
  await server.send((redis) => redis.flushall())
  await server.send((redis) => redis.config('RESETSTAT'))
}

cacheStoreContract('Redis', { reset, open })

describe('a Redis that others use too', () => {
  const piece = () =>
    fc.constantFrom('dev', 'dev:', ':', '*', '?', 'v', '[d]ev', '\\', 'x', 'news:')
  const name = () =>
    fc.array(piece(), { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))

  test('keeps every foreign key whatever we list, count and delete', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name()), name(), name(), async (names, namespace, glob) => {
        await reset()
        const foreign = names.filter(
          (each) => !each.startsWith(`catalyst:${encodeURIComponent(namespace)}:`),
        )
        fc.pre(foreign.length > 0)
        await server.send((redis) => redis.mset(foreign.flatMap((each) => [each, 'theirs'])))
        const store = open(namespace)
        await store.set('news:1', 'ours', MINUTE)
        expect((await store.keys({ pattern: '*', after: null, limit: 10 })).keys).toEqual([
          'news:1',
        ])
        expect(await store.stats([])).toMatchObject({ keys: 1 })
        await store.deleteByPattern(glob)
        await store.deleteByPattern('*')
        await store.delete(foreign)
        await store.close()
        const left = await server.send((redis) => redis.mget(foreign))
        expect(left).toEqual(foreign.map(() => 'theirs'))
        expect(await server.send((redis) => redis.dbsize())).toBe(foreign.length)
      }),
      { numRuns: 60 },
    )
  })

  test('says when counting took too long instead of passing the part off as the whole', async () => {
    await reset()
    await server.send((redis) =>
      redis.mset(
        Array.from({ length: 5_000 }, (_, index) => [`catalyst:dev:news:${index}`, 'x']).flat(),
      ),
    )
    const store = open('dev', 0)
    const stats = await store.stats(['news:'])
    expect(stats.keys_complete).toBe(false)
    expect(stats.keys).toBeLessThan(5_000)
    expect(await store.keys({ pattern: '*', after: null, limit: 10 })).toMatchObject({
      complete: false,
    })
    await store.close()
  })

  test('the namespace must be named', () => {
    expect(() => open('')).toThrow('namespace')
  })
})

test('stores every entry with an end', async () => {
  await reset()
  const store = open('dev')
  await store.set('news:1', 'x', { ttlSeconds: 300, tags: [] })
  await store.close()
  expect(await server.send((redis) => redis.ttl('catalyst:dev:news:1'))).toBeGreaterThan(290)
})

test('never sends KEYS, DEL or FLUSH', async () => {
  await reset()
  const store = open('dev')
  await store.set('news:1', 'x', MINUTE)
  await store.keys({ pattern: 'news:*', after: null, limit: 10 })
  await store.stats(['news:'])
  await store.deleteByPattern('*')
  await store.delete(['news:1'])
  const commands = await server.send((redis) => redis.info('commandstats'))
  await store.close()
  expect(commands).toContain('cmdstat_scan:')
  expect(commands).toContain('cmdstat_unlink:')
  expect(commands).not.toMatch(/cmdstat_(keys|del|flushall|flushdb):/)
})

test('reports the limit, the evictions and the clients of the server', async () => {
  await reset()
  const store = open('dev')
  expect(await store.stats([])).toMatchObject({ max_memory_bytes: null })
  await server.send((redis) => redis.config('SET', 'maxmemory-policy', 'allkeys-lru'))
  await server.send((redis) => redis.config('SET', 'maxmemory', '3mb'))
  for (let index = 0; index < 60; index++) await store.set(`k${index}`, 'x'.repeat(100_000), MINUTE)
  const stats = await store.stats([])
  await server.send((redis) => redis.config('SET', 'maxmemory', '0'))
  await store.close()
  expect(stats.max_memory_bytes).toBe(3 * 1024 * 1024)
  expect(stats.connected_clients).toBe(1)
  expect(stats.evicted_keys).toBeGreaterThan(0)
  expect(stats.keys + (stats.evicted_keys ?? 0)).toBe(60)
})

test('the in-process matcher agrees with Redis on any pattern', async () => {
  const unit = fc.constantFrom('a', 'b', 'c', '-', '^', '[', ']', '\\', '*', '?')
  const text = () => fc.string({ unit, minLength: 1, maxLength: 6 })
  const glob = fc.string({ unit, maxLength: 8 })
  const store = open('glob')
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(text(), { minLength: 5, maxLength: 30 }),
      glob,
      async (keys, pattern) => {
        await reset()
        await Promise.all(keys.map((key) => store.set(key, 'x', MINUTE)))
        const found = await store.keys({ pattern, after: null, limit: 100 })
        expect(keys.filter(globMatcher(pattern)).toSorted()).toEqual(found.keys)
      },
    ),
    { numRuns: 500 },
  )
  await store.close()
})

test('an escaped text matches only itself', () => {
  const unit = fc.constantFrom('a', '-', '^', '[', ']', '\\', '*', '?', 'é')
  const text = () => fc.string({ unit, maxLength: 5 })
  fc.assert(
    fc.property(text(), text(), (a, b) => {
      expect(globMatcher(escapeGlob(a))(a)).toBe(true)
      expect(globMatcher(escapeGlob(a))(b)).toBe(a === b)
    }),
  )
})
