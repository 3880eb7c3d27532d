import { afterAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { newId } from '../../src/lib/ids.js'
import { RedisCacheStore } from '../../src/platform/cache/redis.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { uniqueSymbol } from '../trading/support.js'
import { cacheParts } from './parts.js'

const { url, drop } = await createDatabase()
const store = new RedisCacheStore({ url: inject('redisPath'), namespace: newId('test') })
const { coherent, database } = cacheParts({ store, url })
const { reads, tally } = coherent
afterAll(async () => {
  await store.close()
  await drop()
})

/** A read of a symbol whose loads wait until they are let go, each with its own value. */
function slowRead(symbol = uniqueSymbol()) {
  const waiting: ((value: number | Error) => void)[] = []
  const read = () =>
    reads.read({
      type: 'news',
      name: `symbol:${symbol}:1`,
      schema: z.number(),
      load: () =>
        new Promise<number>((resolve, reject) => {
          waiting.push((value) => (value instanceof Error ? reject(value) : resolve(value)))
        }),
      symbolsOf: () => [symbol],
      isKept: () => true,
    })
  const loads = (count: number) => waitFor(() => waiting.length >= count, { what: `load ${count}` })
  return { symbol, waiting, read, loads }
}

const touch = (symbol: string) =>
  database.transaction(async (tx) => {
    tx.touch('news', [symbol])
    await tx.emit('db.transaction', { tools: [], session_id: null, touched: tx.touched })
  })

/** Looks at the log and asks the cache like a reader, and is answered after those who came before. */
const othersHaveJoined = () => coherent.entries.find('news:nobody', 5_000)

test('a hundred readers at once are one load, and those after it none', async () => {
  const { symbol, waiting, read, loads } = slowRead()
  const all = Array.from({ length: 100 }, read)
  await loads(1)
  await othersHaveJoined()
  waiting[0]?.(7)
  expect(await Promise.all(all)).toEqual(Array(100).fill(7))
  await waitFor(() => store.get(`news:symbol:${symbol}:1`))
  const { hits } = tally.figures.by_cache_type.news
  expect(await Promise.all(Array.from({ length: 100 }, read))).toEqual(Array(100).fill(7))
  expect(waiting).toHaveLength(1)
  expect(tally.figures.by_cache_type.news.hits).toBe(hits + 100)
})

test('who comes during a load takes its result, as long as nothing has changed', async () => {
  const { waiting, read, loads } = slowRead()
  const first = read()
  await loads(1)
  const second = read()
  await othersHaveJoined()
  waiting[0]?.(1)
  expect(await Promise.all([first, second])).toEqual([1, 1])
  expect(waiting).toHaveLength(1)
})

test('who comes after a write does not take the result of a load that began before it', async () => {
  const { symbol, waiting, read, loads } = slowRead()
  const before = read()
  await loads(1)
  await touch(symbol)
  const after = [read(), read()]
  await othersHaveJoined()
  waiting[0]?.(1)
  expect(await before).toBe(1)
  await loads(2)
  waiting[1]?.(2)
  expect(await Promise.all(after)).toEqual([2, 2])
  expect(waiting).toHaveLength(2)
  const later = read()
  await loads(3)
  waiting[2]?.(3)
  expect(await later).toBe(3)
})

test('a load that fails is the failure of those who waited for it, and is not kept', async () => {
  const { waiting, read, loads } = slowRead()
  const failed = [read(), read()].map((one) => one.catch(({ message }) => message))
  await loads(1)
  waiting[0]?.(new Error('no luck'))
  expect(await Promise.all(failed)).toEqual(['no luck', 'no luck'])
  const next = read()
  await loads(2)
  waiting[1]?.(3)
  expect(await next).toBe(3)
})
