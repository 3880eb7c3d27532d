import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { startApp } from '../support/app.js'
import { uniqueSymbol } from '../trading/support.js'

const { client, database } = await startApp()
const redis = new Redis(inject('redisPath'), { lazyConnect: true })
afterAll(() => redis.disconnect())

const LONG = `pattern:${'a'.repeat(300)}`
const result = { score: 1 }

test.each([
  ['', /empty/],
  ['[', /must begin with one of pattern:, indicators:, sentiment:, news:/],
  ['pattern:[', /\[ without its \]/],
  ['pattern:[a-', /\[ without its \]/],
  ['../', /must begin with/],
  ['pattern:../\0', /printable ASCII/],
  ['pattern:a b', /printable ASCII/],
  ['catalyst:*', /must begin with/],
  ['p*', /must begin with/],
  ['?*', /must begin with/],
  ['session:*', /must begin with/],
  [LONG, /200/],
  [`${'*'.repeat(199)}a`, /must begin with/],
])('the pattern %j is refused by both who take one', async (pattern, message) => {
  const refused = await client.refused('invalidate_cache', { pattern })
  expect(refused).toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(message),
    hint: expect.stringContaining('Nothing was done'),
  })
  const uri = `cache/keys?pattern=${encodeURIComponent(pattern)}`
  await expect(client.resource(uri)).rejects.toThrow(message)
})

test.each([
  [{ ttl: 0 }, /ttl/],
  [{ ttl: -1 }, /ttl/],
  [{ ttl: 1e12 }, /ttl/],
  [{ ttl: 1.5 }, /ttl/],
  [{ ttl: 86_401 }, /ttl/],
  [{ ttl: '60' }, /ttl/],
  [{ symbol: 'A*' }, /ticker/],
  [{ symbol: '[A]' }, /ticker/],
  [{ symbol: '../A' }, /ticker/],
  [{ symbol: 'A'.repeat(300) }, /ticker/],
  [{ pattern_type: '*' }, /must be a name/],
  [{ pattern_type: 'a:b' }, /must be a name/],
  [{ pattern_type: '' }, /must be a name/],
  [{ result: 'text' }, /must be an object/],
  [{ result: [1] }, /must be an object/],
  [{ result: { big: 'x'.repeat(10 * 1024 * 1024) } }, /at most 1 MiB/],
])('cache_pattern_result refuses %#', async (wrong, message) => {
  const call = { symbol: uniqueSymbol(), pattern_type: 'flag', result, ...wrong }
  expect(await client.refused('cache_pattern_result', call)).toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(message),
  })
})

test.each([
  ['keys?limit=0', /limit/],
  ['keys?limit=1001', /limit/],
  ['keys?cursor=x', /cursor/],
  ['keys?colour=red', /colour/],
  ['entries/foreign:1', /must begin with/],
  ['entries/..%2F', /must begin with/],
  [`entries/${LONG}`, /200/],
  ['entries/pattern:%00', /printable ASCII/],
])('cache/%s is refused', async (path, message) => {
  await expect(client.resource(`cache/${path}`)).rejects.toThrow(message)
})

test('texts of any kind are kept exactly', async () => {
  const symbol = uniqueSymbol()
  const strange = { __proto__x: '\0 \ud83d\ude00 "\n', 'a:*': [{ nested: [null, 1e21, -0.5] }] }
  const call = { symbol, pattern_type: 'flag', result: strange }
  expect(await client.tool('cache_pattern_result', call)).toMatchObject({ cached: true })
  const { value } = await client.resource(`cache/entries/pattern:${symbol}:flag`)
  expect(value).toEqual(strange)
})

test('no key of anybody else is listed, read, counted or removed', async () => {
  const symbol = uniqueSymbol()
  const foreign = [
    `pattern:${symbol}:flag`,
    `news:symbol:${symbol}:50`,
    `catalyst:${database.name}x:pattern:${symbol}:flag`,
    `catalyst-index:${database.name}x:patterns:${symbol}`,
    `x:catalyst:${database.name}:pattern:${symbol}:flag`,
  ]
  for (const key of foreign) await redis.set(key, 'theirs')
  await client.tool('cache_pattern_result', { symbol, pattern_type: 'own', result })
  const own = `pattern:${symbol}:own`
  const pattern = encodeURIComponent(`pattern:${symbol}:*`)
  expect(await client.resource(`cache/keys?pattern=${pattern}`)).toMatchObject({
    keys: [own],
    total_matching: 1,
  })
  await expect(client.resource(`cache/entries/pattern:${symbol}:flag`)).rejects.toThrow('Nothing')
  for (const args of [{ symbol }, { pattern: 'pattern:*' }, { cache_type: 'news' }]) {
    await client.tool('invalidate_cache', args)
  }
  const { confirm_token } = await client.refused('invalidate_cache', { pattern: '*' })
  await client.tool('invalidate_cache', { pattern: '*', confirm_token })
  expect(await redis.mget(foreign)).toEqual(foreign.map(() => 'theirs'))
  await redis.del(foreign)
})

test('what somebody else wrote under our keys is never served', async () => {
  const symbol = uniqueSymbol()
  const key = `catalyst:${database.name}:news:symbol:${symbol}:50`
  for (const forged of ['', '{}', '{"items":[]}', '{"seq":1}\n{"items":[]}', 'x'.repeat(1_000)]) {
    await redis.set(key, forged)
    expect(await client.resource(`news?symbol=${symbol}`)).toEqual({ items: [], next_cursor: null })
  }
  await redis.del(key)
  await redis.hset(key, 'a', 'hash')
  expect(await client.resource(`news?symbol=${symbol}`)).toEqual({ items: [], next_cursor: null })
  await redis.del(key)
})
