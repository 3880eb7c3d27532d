import { expect, test } from 'vitest'
import { MemoryCacheStore } from '../../src/platform/cache/memory.js'
import { cacheStoreContract } from '../contracts/cache-store.contract.js'
import { MINUTE } from './lifetime.js'

cacheStoreContract('the in-process cache', {
  reset: async () => undefined,
  open: () => new MemoryCacheStore(),
})

test('says its own limit, and that clients have no meaning here', async () => {
  expect(await new MemoryCacheStore().stats([])).toMatchObject({
    max_memory_bytes: 256 * 1024 * 1024,
    connected_clients: null,
  })
})

test('evicts the least recently used entries to stay within its bytes, and counts them', async () => {
  const store = new MemoryCacheStore({ maxBytes: 10_000 })
  for (let index = 0; index < 20; index++) {
    await store.set(`k${index}`, 'x'.repeat(1_000), MINUTE)
    await store.get('k0')
  }
  const stats = await store.stats(['k'])
  expect(await store.get('k0')).not.toBeNull()
  expect(await store.get('k1')).toBeNull()
  expect(stats.used_memory_bytes).toBeLessThanOrEqual(10_000)
  expect(stats.keys + (stats.evicted_keys ?? 0)).toBe(20)
})

test('refuses a value larger than the whole cache and keeps the old one', async () => {
  const store = new MemoryCacheStore({ maxBytes: 10_000 })
  await store.set('key', 'small', MINUTE)
  await expect(store.set('key', 'x'.repeat(10_000), MINUTE)).rejects.toMatchObject({
    code: 'invalid_input',
  })
  expect(await store.get('key')).toBe('small')
})

test('lets other work run while it walks many keys', async () => {
  const store = new MemoryCacheStore()
  for (let index = 0; index < 20_000; index++) await store.set(`k${index}`, 'x', MINUTE)
  let turns = 0
  let isOver = false
  const count = () => {
    turns += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  expect(await store.deleteByPattern('k*')).toBe(20_000)
  isOver = true
  expect(turns).toBeGreaterThanOrEqual(15)
})

test('a walk ends although keys are added faster than it goes', async () => {
  const store = new MemoryCacheStore()
  for (let index = 0; index < 3_000; index++) await store.set(`k${index}`, 'x', MINUTE)
  let added = 0
  let isOver = false
  const add = () => {
    for (let index = 0; index < 2_000; index++) void store.set(`new${added++}`, 'x', MINUTE)
    if (!isOver && added < 200_000) setImmediate(add)
  }
  setImmediate(add)
  await store.keys({ pattern: '*', after: null, limit: 10 })
  isOver = true
  expect(added).toBeLessThan(50_000)
})
