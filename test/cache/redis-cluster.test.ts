import { afterAll, expect, test, vi } from 'vitest'
import { RedisCacheStore } from '../../src/platform/cache/redis.js'
import { cacheStoreContract } from '../contracts/cache-store.contract.js'
import { soonerThan } from '../support/sooner-than.js'
import { MINUTE } from './lifetime.js'
import { RedisCluster } from './redis-groups.js'

const cluster = await RedisCluster.start()
afterAll(() => cluster.dispose())

const open = (namespace: string, timeoutMs = 1_000) =>
  new RedisCacheStore({ url: cluster.url, namespace, timeoutMs })
const FAILOVER = { timeout: 60_000, interval: 50 }
/** Enough that each server holds some. */
const KEYS = Array.from({ length: 60 }, (_, index) => `key${index}`)
const PLACEMENT = { ttlSeconds: 60, tags: ['tag'] }

const storeAll = async (store: RedisCacheStore) => {
  for (const key of KEYS) await store.set(key, 'value', PLACEMENT)
}

cacheStoreContract('a Redis Cluster', {
  reset: () => cluster.flush(),
  open: (namespace) => open(namespace, 5_000),
})

test('a lost primary is replaced: every write succeeds again', async () => {
  await cluster.flush()
  const store = open('failover')
  await storeAll(store)
  await cluster.servers[0]?.kill()
  await vi.waitFor(() => storeAll(store), FAILOVER)
  expect(await store.deleteByTag('tag')).toBe(KEYS.length)
  await store.close()
})

test('a part that is missing is told, and never counted as empty', async () => {
  const store = open('missing')
  await store.set('key', 'value', MINUTE)
  await cluster.servers[2]?.kill()
  await vi.waitFor(async () => {
    expect(await store.health()).toMatchObject({
      state: 'down',
      reason: 'A part of the Redis Cluster is missing.',
    })
  }, FAILOVER)
  const missing = { code: 'unavailable', message: 'A part of the Redis Cluster is missing.' }
  await expect(store.stats([])).rejects.toMatchObject(missing)
  await expect(store.keys({ pattern: '*', after: null, limit: 10 })).rejects.toMatchObject(missing)
  await expect(store.deleteByPattern('*')).rejects.toMatchObject(missing)
  await store.close()
})

test('a cluster of which nobody answers fails calls in time', async () => {
  const store = open('gone')
  await store.health()
  await Promise.all(cluster.servers.map((server) => server.kill()))
  const refused = { code: 'unavailable', retryable: true }
  await soonerThan(20_000, expect(store.get('key')).rejects.toMatchObject(refused))
  const late = open('late')
  const message = 'There is no connection to Redis.'
  const call = expect(late.get('key')).rejects.toMatchObject({ code: 'unavailable', message })
  await soonerThan(20_000, call)
  await Promise.all([store.close(), late.close()])
})
