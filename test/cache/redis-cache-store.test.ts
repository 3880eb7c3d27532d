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
  new RedisCacheStore({ url: server.socket, namespace, walkLimitMs, timeoutMs: 5_000 })

const reset = async () => {
  await server.send((redis) => redis.flushall())
  await server.send((redis) => redis.config('RESETSTAT'))
}

cacheStoreContract('Redis', { reset, open })

describe('a Redis that others use too', () => {
  const pieces = [
    'catalyst:',
    'catalyst-index:',
    'dev',
    'dev:',
    'dev%3A',
    ':',
    '*',
    '?',
    '[d]ev',
    '\\',
  ]
  const name = () =>
    fc
      .array(fc.constantFrom(...pieces, 'x', 'news:'), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join(''))
  const operation = () =>
    fc.record({
      kind: fc.constantFrom('set', 'delete', 'pattern', 'tag', 'read'),
      name: name(),
      tags: fc.array(name(), { maxLength: 2 }),
    })
  type Operation = { kind: string; name: string; tags: string[] }

  async function perform(store: RedisCacheStore, { kind, name: of, tags }: Operation) {
    if (kind === 'set') await store.set(of, 'ours', { ttlSeconds: 60, tags })
    if (kind === 'delete') await store.delete([of, ...tags])
    if (kind === 'pattern') await store.deleteByPattern(of)
    if (kind === 'tag') await store.deleteByTag(of)
    if (kind === 'read') {
      await store.mget([of, ...tags])
      await store.keys({ pattern: of, after: null, limit: 10 })
      await store.stats([of])
    }
  }

  test('keeps every foreign key, whatever it is called and whatever we do', async () => {
    const names = () => fc.uniqueArray(name(), { minLength: 1 })
    const databases = fc
      .tuple(name(), name(), fc.boolean())
      .map(([a, b, isNested]) => [a, isNested ? `${a}:${b}` : b] as const)
    const operations = fc.array(operation(), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(names(), databases, operations, async (all, [ours, theirs], steps) => {
        fc.pre(ours !== theirs)
        await reset()
        const foreign = all.filter((each) => {
          const owners = [ours, theirs].map(encodeURIComponent)
          const own = owners.flatMap((db) => [`catalyst:${db}:`, `catalyst-index:${db}:`])
          return !own.some((prefix) => each.startsWith(prefix))
        })
        if (foreign.length > 0) {
          await server.send((redis) => redis.mset(foreign.flatMap((each) => [each, 'foreign'])))
        }
        const [store, other] = [open(ours), open(theirs)]
        for (const each of all) await other.set(each, 'theirs', { ttlSeconds: 60, tags: all })
        for (const step of steps) await perform(store, step)
        await store.deleteByPattern('*')
        await store.delete(all)
        for (const tag of all) await store.deleteByTag(tag)
        if (foreign.length > 0) {
          const left = await server.send((redis) => redis.mget(foreign))
          expect(left).toEqual(foreign.map(() => 'foreign'))
        }
        expect(await other.mget(all)).toEqual(all.map(() => 'theirs'))
        expect(await other.deleteByTag(all[0] ?? '')).toBe(all.length)
        await Promise.all([store.close(), other.close()])
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

test('never sends KEYS, DEL or FLUSH, nor many keys at once', async () => {
  await reset()
  const store = open('dev')
  const keys = Array.from({ length: 3_000 }, (_, index) => `news:${index}`)
  for (const key of keys) await store.set(key, 'x', { ttlSeconds: 60, tags: ['AAPL', key] })
  await store.keys({ pattern: 'news:*', after: null, limit: 10 })
  await store.stats(['news:'])
  expect(await store.deleteByPattern('news:1*')).toBe(1_111)
  expect(await store.deleteByTag('AAPL')).toBe(1_889)
  expect(await store.delete(keys)).toBe(0)
  const commands = await server.send((redis) => redis.info('commandstats'))
  await store.close()
  expect(commands).not.toMatch(/cmdstat_(keys|del|flushall|flushdb|smembers|eval):/)
  const [scans = 0, unlinks = 0] = ['scan', 'unlink'].map((name) =>
    Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(commands)?.[1]),
  )
  expect(scans).toBeGreaterThan(30)
  expect(unlinks).toBeGreaterThan(20)
})

test('an index of a tag ends with its entries, and forgets keys once they are old', async () => {
  await reset()
  let now = new Date()
  const clock = { now: () => now }
  const store = new RedisCacheStore({ url: server.socket, namespace: 'a:b', clock })
  const index = 'catalyst-index:a%3Ab:tag'
  await store.set('old', 'x', { ttlSeconds: 1, tags: ['tag'] })
  now = new Date(now.getTime() + 86_400_000)
  await store.set('young', 'x', { ttlSeconds: 60, tags: ['tag'] })
  expect(await server.send((redis) => redis.zcard(index))).toBe(2)
  now = new Date(now.getTime() + 400_000)
  await store.set('new', 'x', { ttlSeconds: 60, tags: ['tag'] })
  expect(await server.send((redis) => redis.zrange(index, 0, '-1'))).toEqual(['young', 'new'])
  expect(await server.send((redis) => redis.ttl(index))).toBeGreaterThan(86_400)
  expect(await store.deleteByTag('tag')).toBe(2)
  expect(await server.send((redis) => redis.zrange(index, 0, '-1'))).toEqual(['new'])
  await store.close()
})

test('an index that is large is forgotten in steps', async () => {
  await reset()
  let now = new Date()
  const store = new RedisCacheStore({
    url: server.socket,
    namespace: 'dev',
    clock: { now: () => now },
  })
  for (let index = 0; index < 1_000; index++) {
    await store.set(`k${index}`, 'x', { ttlSeconds: 60, tags: ['tag'] })
    now = new Date(now.getTime() + 1)
  }
  now = new Date(now.getTime() + 400_000)
  expect(await store.deleteByTag('tag')).toBe(1_000)
  expect(await server.send((redis) => redis.exists('catalyst-index:dev:tag'))).toBe(0)
  const commands = await server.send((redis) => redis.info('commandstats'))
  await store.close()
  const removals = /cmdstat_zremrangebyscore:calls=(\d+)/.exec(commands)?.[1]
  expect(Number(removals)).toBeGreaterThanOrEqual(1_004)
})

test('counting many keys is not repeated at every reading, and says when it was done', async () => {
  await reset()
  const many = Array.from({ length: 40_000 }, (_, index) => [`catalyst:dev:news:${index}`, 'x'])
  await server.send((redis) => redis.mset(many.flat()))
  const store = open('dev')
  const first = await store.stats(['news:'])
  expect(first).toMatchObject({ keys: 40_000, keys_complete: true })
  await store.set('news:new', 'x', MINUTE)
  const { keys, keys_counted_at } = await store.stats(['news:'])
  await store.close()
  expect({ keys, keys_counted_at }).toEqual({
    keys: 40_000,
    keys_counted_at: first.keys_counted_at,
  })
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
