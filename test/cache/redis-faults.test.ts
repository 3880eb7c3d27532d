import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { CacheState } from '../../src/platform/cache/cache-store.js'
import { RedisCacheStore } from '../../src/platform/cache/redis.js'
import { soonerThan } from '../support/sooner-than.js'
import { MINUTE } from './lifetime.js'
import { COPIES_AT_ONCE, RedisServer } from './redis-server.js'

const TIMEOUT_MS = 500
const RECOVERY = { timeout: 60_000, interval: 20 }

let server: RedisServer
let store: RedisCacheStore

const open = (url = server.socket) =>
  new RedisCacheStore({ url, namespace: 'test', timeoutMs: TIMEOUT_MS })

beforeEach(async () => {
  server = await RedisServer.create()
})

afterEach(async () => {
  await store.close()
  server.thaw()
  await server.dispose()
})

async function connectionsMade(): Promise<number> {
  const info = await server.send((redis) => redis.info('stats'))
  return Number(/^total_connections_received:(\d+)/m.exec(info)?.[1])
}

const reaches = (state: CacheState) =>
  vi.waitFor(async () => expect((await store.health()).state).toBe(state), RECOVERY)

const worksAgain = () =>
  vi.waitFor(async () => {
    await store.set('key', 'value', MINUTE)
    expect(await store.get('key')).toBe('value')
  }, RECOVERY)

/** Fails as `unavailable`. */
const fails = (call: Promise<unknown>) =>
  expect(call).rejects.toMatchObject({ code: 'unavailable', retryable: true })

/** Fails as `unavailable`, and asks nobody for that: what is known already is told. */
const failsAtOnce = (call: Promise<unknown>) => soonerThan(TIMEOUT_MS, fails(call))

test('a Redis that is down at the start stops nobody, and is used once it is there', async () => {
  store = open()
  await fails(store.get('key'))
  const reason = 'Nothing listens at the address of the cache.'
  expect(await store.health()).toMatchObject({ state: 'down', reason })
  await expect(store.get('key')).rejects.toMatchObject({
    message: reason,
    hint: expect.stringMatching(/^The database is not affected/),
  })
  await server.start()
  await worksAgain()
})

test('calls made in the first instant wait for the connection', async () => {
  await server.start()
  store = open()
  await store.set('key', 'value', MINUTE)
  expect(await store.get('key')).toBe('value')
})

test('a killed Redis fails calls at once, says down since when, and comes back by itself', async () => {
  await server.start()
  store = open()
  await worksAgain()
  await server.kill()
  await reaches('down')
  await failsAtOnce(store.get('key'))
  await failsAtOnce(store.set('key', 'lost', MINUTE))
  await failsAtOnce(store.stats([]))
  const down = await store.health()
  expect(down).toMatchObject({ state: 'down', reason: expect.any(String) })
  await turnsAway(server.socket, 3)
  expect((await store.health()).since).toBe(down.since)
  await server.start()
  await worksAgain()
  const back = await store.health()
  expect(back).toMatchObject({ state: 'ready', reason: null })
  expect(back.since > down.since).toBe(true)
})

test('a frozen Redis costs one time limit, then nothing, and leaves the event loop free', async () => {
  await server.start()
  store = open()
  await worksAgain()
  server.freeze()
  let turns = 0
  const ticking = setInterval(() => {
    turns += 1
  }, 10)
  await fails(Promise.all([store.get('key'), store.set('key', 'late', MINUTE), store.stats([])]))
  clearInterval(ticking)
  // A loop that was held up meanwhile would catch up with one.
  expect(turns).toBeGreaterThan(2)
  await reaches('down')
  expect((await store.health()).reason).toBe('Redis did not answer in time.')
  await failsAtOnce(store.get('key'))
  server.thaw()
  await worksAgain()
})

test('health tells of a frozen Redis although its socket is open', async () => {
  await server.start()
  store = open()
  await worksAgain()
  server.freeze()
  expect(await store.health()).toMatchObject({
    state: 'down',
    reason: 'Redis did not answer in time.',
  })
})

test('an answer that only trickles in is given up at the time limit', async () => {
  await server.start()
  const wire = await slowWire(server.socket, `${server.dir}/slow.sock`)
  store = open(`${server.dir}/slow.sock`)
  await store.set('big', 'x'.repeat(1_000), MINUTE)
  wire.slowDown()
  await fails(store.get('big'))
  expect(wire.isUnderWay()).toBe(true)
  await store.close()
  wire.close()
})

test('a write that was not acknowledged is not sent again after the reconnect', async () => {
  await server.start()
  store = open()
  await worksAgain()
  server.freeze()
  const write = fails(store.set('unacknowledged', 'value', MINUTE))
  await server.kill()
  await write
  await server.start()
  await worksAgain()
  expect(await store.get('unacknowledged')).toBeNull()
})

test('a loading Redis is called loading, and is used when it has loaded', async () => {
  // It answers once in so many bytes of the file.
  await server.start('--rdbcompression', 'no')
  await server.send((redis) =>
    redis.mset(
      Array.from({ length: 3_000 }, (_, index) => [`key${index}`, 'x'.repeat(1_000)]).flat(),
    ),
  )
  await server.send((redis) => redis.save())
  await server.kill()
  await server.start('--key-load-delay', '10000', '--loading-process-events-interval-bytes', '1024')
  store = open()
  await reaches('loading')
  await failsAtOnce(store.get('key'))
  expect((await store.health()).reason).toBe('Redis is loading its data into memory.')
  // At that pace it takes half a minute; now it has been seen.
  await server.send((redis) => redis.config('SET', 'key-load-delay', 0))
  await worksAgain()
  expect(await store.health()).toMatchObject({ state: 'ready', reason: null })
})

test('a Redis out of memory refuses writes with the reason and still answers reads', async () => {
  await server.start()
  store = open()
  await worksAgain()
  await server.send((redis) => redis.config('SET', 'maxmemory', '1mb'))
  await expect(store.set('big', 'x'.repeat(1_000_000), MINUTE)).rejects.toMatchObject({
    code: 'unavailable',
    message: 'Redis is out of memory and evicts nothing.',
  })
  expect(await store.get('key')).toBe('value')
  expect((await store.health()).state).toBe('ready')
})

test('five calls without an answer keep the next ones away, until one has found Redis answering', async () => {
  await server.start()
  store = open()
  await worksAgain()
  await server.send((redis) => redis.client('PAUSE', 60_000, 'WRITE'))
  const calls = Array.from({ length: 5 }, () => store.set('key', 'late', MINUTE))
  await Promise.allSettled(calls)
  await reaches('down')
  expect((await store.health()).breaker).toBe('open')
  const message = 'Redis did not answer in time.'
  await expect(store.get('key')).rejects.toMatchObject({ code: 'unavailable', message })
  await server.send((redis) => redis.client('UNPAUSE'))
  await vi.waitFor(async () => {
    expect(await store.health()).toMatchObject({ state: 'ready', breaker: 'closed' })
  }, RECOVERY)
  await store.set('key', 'new', MINUTE)
  expect(await store.get('key')).toBe('new')
})

test('writes that are refused do not keep reads away', async () => {
  await server.start()
  store = open()
  await worksAgain()
  await server.send((redis) => redis.config('SET', 'maxmemory', '1'))
  for (let call = 0; call < 10; call++) {
    const write = store.set('key', 'x', { ttlSeconds: 60, tags: ['tag'] })
    await expect(write).rejects.toMatchObject({
      message: 'Redis is out of memory and evicts nothing.',
    })
  }
  expect(await store.get('key')).toBe('value')
  expect((await store.health()).breaker).toBe('closed')
})

test('a Redis that has become a replica still answers reads, and is used when it is none', async () => {
  const primary = await RedisServer.create()
  const port = await primary.startOnPort(...COPIES_AT_ONCE)
  await server.start()
  store = open()
  await worksAgain()
  await primary.send((redis) => redis.set('catalyst:test:key', 'copied'))
  await server.send((redis) => redis.replicaof('127.0.0.1', port))
  await vi.waitFor(async () => expect(await store.get('key')).toBe('copied'), RECOVERY)
  const message = 'Redis answers reads only, as a replica does.'
  const before = await connectionsMade()
  const started = performance.now()
  for (let call = 0; call < 10; call++) {
    await expect(store.set('key', 'x', MINUTE)).rejects.toMatchObject({ message })
    await vi.waitFor(async () => expect(await store.get('key')).toBe('copied'), RECOVERY)
  }
  const seconds = (performance.now() - started) / 1_000
  // Another server may be the primary now: it is asked for once a second. The question counts too.
  const made = (await connectionsMade()) - before - 1
  expect(made).toBeGreaterThanOrEqual(1)
  expect(made).toBeLessThanOrEqual(Math.ceil(seconds) + 1)
  await server.send((redis) => redis.replicaof('NO', 'ONE'))
  await primary.dispose()
  await worksAgain()
})

test('a Redis whose data was flushed has nothing, tags included, and goes on', async () => {
  await server.start()
  store = open()
  await store.set('key', 'old', { ttlSeconds: 60, tags: ['tag'] })
  await server.send((redis) => redis.flushall())
  expect(await store.get('key')).toBeNull()
  expect(await store.deleteByTag('tag')).toBe(0)
  expect(await store.stats([])).toMatchObject({ keys: 0 })
  await store.set('key', 'new', { ttlSeconds: 60, tags: ['tag'] })
  expect(await store.deleteByTag('tag')).toBe(1)
})

test('speaks TCP with password and database number', async () => {
  const port = await server.startOnPort()
  await server.send((redis) => redis.config('SET', 'requirepass', 'hunter2'))
  store = open(`redis://:hunter2@127.0.0.1:${port}/3`)
  await worksAgain()
})

test('a refused login is down with a reason that holds no secret', async () => {
  await server.start()
  await server.send((redis) => redis.config('SET', 'requirepass', 'hunter2'))
  store = open(`${server.socket}?password=hunter3`)
  await reaches('down')
  const health = await store.health()
  const error: unknown = await store.get('key').catch((failure: unknown) => failure)
  expect(health.reason).toBe('Redis refused the login.')
  expect(error).toMatchObject({ code: 'unavailable', message: 'Redis refused the login.' })
  const shown = [health.reason, Reflect.get(Object(error), 'hint')].join(' ')
  expect(shown).not.toMatch(/hunter|redis\.sock|WRONGPASS|writeable/)
})

test('after closing, calls fail and nothing reconnects', async () => {
  await server.start()
  store = open()
  await worksAgain()
  await store.close()
  await failsAtOnce(store.get('key'))
  expect((await store.health()).state).toBe('down')
  await server.kill()
  await server.start()
  // Another one, which began later, has had the time to connect and to look around.
  const another = open()
  await another.set('key', 'value', MINUTE)
  expect((await another.health()).state).toBe('ready')
  const clients = await server.send((redis) => redis.client('LIST'))
  await another.close()
  expect(String(clients).trim().split('\n')).toHaveLength(2)
})

/** Takes the place of a server that is gone, until so many have tried to connect. */
async function turnsAway(path: string, attempts: number): Promise<void> {
  await rm(path, { force: true })
  let count = 0
  await new Promise<void>((resolve) => {
    const door = createServer((client) => {
      client.destroy()
      count += 1
      if (count === attempts) door.close(() => resolve())
    }).listen(path)
  })
}

/** A proxy that, once told, passes answers on one byte at a time, ten a second. */
async function slowWire(target: string, path: string) {
  let isSlow = false
  let isUnderWay = false
  const proxy = createServer((client) => {
    const upstream = connect(target)
    const queue: number[] = []
    const drip = setInterval(() => {
      const byte = queue.shift()
      isUnderWay = queue.length > 0
      if (byte !== undefined) client.write(Buffer.of(byte))
    }, 100)
    client.pipe(upstream)
    upstream.on('data', (data) => {
      if (isSlow) queue.push(...data)
      else client.write(data)
    })
    client.on('error', () => undefined)
    client.on('close', () => {
      clearInterval(drip)
      upstream.destroy()
    })
  }).listen(path)
  await new Promise((resolve) => proxy.once('listening', resolve))
  return {
    slowDown: () => {
      isSlow = true
    },
    /** Whether more of an answer is still to come. */
    isUnderWay: () => isUnderWay,
    close: () => proxy.close(),
  }
}
