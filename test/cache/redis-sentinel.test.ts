import { afterAll, expect, test, vi } from 'vitest'
import { RedisCacheStore } from '../../src/platform/cache/redis.js'
import { cacheStoreContract } from '../contracts/cache-store.contract.js'
import { MINUTE } from './lifetime.js'
import { SentinelGroup } from './redis-groups.js'

const group = await SentinelGroup.start()
afterAll(() => group.dispose())

const open = (namespace: string, timeoutMs = 1_000) =>
  new RedisCacheStore({ url: group.url, namespace, timeoutMs })
const FAILOVER = { timeout: 60_000, interval: 50 }

cacheStoreContract('a Redis behind a Sentinel', {
  reset: () => group.flush(),
  open: (namespace) => open(namespace, 5_000),
})

test('a killed primary is replaced: writes succeed again', async () => {
  const store = open('failover')
  await store.set('key', 'before', MINUTE)
  await group.servers[0]?.kill()
  await expect(store.set('key', 'lost', MINUTE)).rejects.toMatchObject({ code: 'unavailable' })
  await vi.waitFor(() => store.set('key', 'after', MINUTE), FAILOVER)
  expect(await store.get('key')).toBe('after')
  await store.close()
})

test('a Sentinel that knows no such primary is down, with the reason', async () => {
  const store = new RedisCacheStore({ url: `${group.url}s`, namespace: 'unknown' })
  expect(await store.health()).toMatchObject({
    state: 'down',
    reason: 'No Sentinel knows the primary of the cache.',
  })
  await store.close()
})
