import { afterAll, expect, test } from 'vitest'
import { MemoryWatch } from '../../src/domains/cache/memory-watch.js'
import { Ending } from '../../src/kernel/ending.js'
import { Loops } from '../../src/kernel/loops.js'
import { RedisCacheStore } from '../../src/platform/cache/redis.js'
import { createLog } from '../../src/platform/log.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { databaseOutage } from '../../src/platform/postgres/outage.js'
import { defaultPolicy } from '../../src/policy.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { RedisServer } from './redis-server.js'

const redis = await RedisServer.create()
await redis.start('--maxmemory', '100mb', '--maxmemory-policy', 'noeviction')
// Beside it what connections come and go with is nothing.
await redis.send((one) => one.set('ballast', 'x'.repeat(32 * 1024 * 1024)))
const rows = await createDatabase()
const database = new Database({ endpoint: parseDatabaseUrl(rows.url), poolMax: 4 })
const store = new RedisCacheStore({ url: redis.socket, namespace: 'test' })
const ending = new Ending()
const loops = new Loops(databaseOutage(createLog('silent')), ending)
const watch = () =>
  new MemoryWatch({
    store,
    database,
    policy: defaultPolicy().cache,
    loops,
    sampleMs: 40,
  })
const watches = [watch(), watch()]

loops.begin()
afterAll(async () => {
  await ending.run()
  await Promise.all([store.close(), database.close(), redis.dispose()])
  await rows.drop()
})

/** Nothing publishes here, so all that was told is in the outbox; each watch hears of it. */
async function told() {
  const events = await rows.query<{ data: Record<string, unknown> }>(
    `select data from catalyst.event_outbox where type = 'cache.memory.high' order by outbox_id`,
  )
  return events.map(({ data }) => data)
}
const hear = async () => {
  const data = (await told()).at(-1) ?? {}
  const event = { seq: 1, type: 'cache.memory.high', at: '', severity: 'warning' as const, data }
  for (const one of watches) one.eventsPublished([event])
}

/** Gives Redis so much memory that what it uses is this share of it. */
const useShare = async (share: number) => {
  const { used_memory_bytes } = await store.memory()
  const limit = Math.round((used_memory_bytes ?? 0) / share)
  await redis.send((one) => one.config('SET', 'maxmemory', limit))
}

test('on and off are told once each, however many servers look', async () => {
  expect(watches.map(({ isHigh }) => isHigh)).toEqual([false, false])
  await useShare(0.9)
  await waitFor(async () => (await told()).length > 0, { what: 'on' })
  await hear()
  expect(watches.map(({ isHigh }) => isHigh)).toEqual([true, true])
  await useShare(0.3)
  await waitFor(async () => (await told()).length > 1, { what: 'off' })
  await hear()
  expect(watches.map(({ isHigh }) => isHigh)).toEqual([false, false])
  expect(await told()).toMatchObject([
    {
      state: 'on',
      cause: 'sample',
      used_share: expect.toSatisfy((share: number) => share >= 0.8),
    },
    { state: 'off', used_share: expect.toSatisfy((share: number) => share < 0.75) },
  ])
})

test('between the two thresholds nothing is told', async () => {
  const before = (await told()).length
  await useShare(0.775)
  await samplesOf(8)
  expect((await told()).length).toBe(before)
})

test('a refused value is told at once, by one of those who met it', async () => {
  const before = (await told()).length
  await useShare(1.5)
  const refusals = await Promise.all(
    watches.map(() =>
      store.set('news:1', 'x', { ttlSeconds: 60, tags: [] }).catch((error: unknown) => error),
    ),
  )
  for (const [index, error] of refusals.entries()) watches[index]?.failed(error)
  await waitFor(async () => (await told()).length > before, { what: 'on' })
  await samplesOf(4)
  expect((await told()).slice(before)).toMatchObject([{ state: 'on' }])
})

/** Waits until Redis was asked for its memory so many times. */
async function samplesOf(count: number): Promise<void> {
  const asked = async () => {
    const info = await redis.send((one) => one.info('commandstats'))
    return Number(/cmdstat_info:calls=(\d+)/.exec(info)?.[1] ?? 0)
  }
  const start = await asked()
  // To ask how often it was asked is itself asked, twice with the ready check of the connection.
  await waitFor(async () => (await asked()) > start + count * 4)
}

test('a limit that is taken away ends it', async () => {
  await hear()
  expect(watches.map(({ isHigh }) => isHigh)).toEqual([true, true])
  await redis.send((one) => one.config('SET', 'maxmemory', 0))
  await waitFor(async () => (await told()).at(-1)?.state === 'off', { what: 'off' })
  await hear()
  expect(watches.map(({ isHigh }) => isHigh)).toEqual([false, false])
  expect((await told()).at(-1)).toMatchObject({ max_memory_bytes: null, used_share: null })
})

test('a cache that drops what is old is well at its limit', async () => {
  const before = (await told()).length
  await redis.send((one) => one.config('SET', 'maxmemory-policy', 'allkeys-lru'))
  await useShare(0.99)
  await samplesOf(8)
  expect((await told()).length).toBe(before)
  expect(await store.health()).toMatchObject({ state: 'ready' })
  await redis.send((one) => one.config('SET', 'maxmemory-policy', 'noeviction'))
  await waitFor(async () => (await told()).length > before, { what: 'on' })
  expect((await told()).at(-1)).toMatchObject({ state: 'on', cause: 'sample' })
})
