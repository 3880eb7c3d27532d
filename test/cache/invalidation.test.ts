import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { story, uniqueHeadline } from '../market/support.js'
import { startApp, type TestClient } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { uniqueSymbol } from '../trading/support.js'

const { client, database } = await startApp()
const second = await startApp({ database })

/** Keeps results about patterns of a symbol. */
const keep = async (symbol: string, ...types: string[]): Promise<string[]> => {
  for (const pattern_type of types) {
    const call = { symbol, pattern_type, result: { pattern_type } }
    expect(await client.tool('cache_pattern_result', call)).toMatchObject({ cached: true })
  }
  return types.map((type) => `pattern:${symbol}:${type}`)
}

const stateOf = (key: string, of: TestClient = second.client): Promise<string> =>
  of.resource(`cache/entries/${key}`).then(
    () => 'served',
    ({ message }) => (/outdated/.test(message) ? 'outdated' : 'absent'),
  )
const statesOf = (keys: readonly string[]) => Promise.all(keys.map((key) => stateOf(key)))

const invalidations = async () => {
  const { events } = await client.resource('events/cache.invalidation?limit=500')
  return events.map(({ data }: { data: Record<string, unknown> }) => data)
}

test('by symbol: everything of it, and nothing of any other', async () => {
  const [symbol, other] = [uniqueSymbol(), uniqueSymbol()]
  const keys = await keep(symbol, 'a', 'b')
  const [kept] = await keep(other, 'a')
  await client.tool('persist_news_catalyst', story({ symbol, headline: uniqueHeadline() }))
  const list = `news:symbol:${symbol}:50`
  await waitFor(async () => {
    await client.resource(`news?symbol=${symbol}`)
    return (await stateOf(list)) === 'served'
  })
  const answer = await client.tool('invalidate_cache', { symbol: symbol.toLowerCase() })
  expect(answer).toEqual({ keys_deleted: 3, complete: true, reason: null })
  expect(await statesOf([...keys, list, kept ?? ''])).toEqual([
    ...['absent', 'absent', 'absent'],
    'served',
  ])
  const touched = Object.fromEntries(
    ['patterns', 'indicators', 'sentiment', 'news'].map((type) => [type, [symbol]]),
  )
  await waitFor(async () =>
    (await invalidations()).some((data: Record<string, unknown>) =>
      isDeepStrictEqual(data.touched, touched),
    ),
  )
})

test('by symbol and type, and by pattern: just those', async () => {
  const symbol = uniqueSymbol()
  const keys = await keep(symbol, 'a', 'ab', 'b')
  const call = { symbol, cache_type: 'indicators' }
  expect(await client.tool('invalidate_cache', call)).toMatchObject({ keys_deleted: 0 })
  expect(await statesOf(keys)).toEqual(['served', 'served', 'served'])
  const pattern = `pattern:${symbol}:a*`
  expect(await client.tool('invalidate_cache', { pattern })).toMatchObject({ keys_deleted: 2 })
  expect(await statesOf(keys)).toEqual(['absent', 'absent', 'served'])
  await client.tool('invalidate_cache', { symbol, cache_type: 'patterns' })
  expect(await statesOf(keys)).toEqual(['absent', 'absent', 'absent'])
})

test('by type, without a question; of everything, only when that is confirmed', async () => {
  const keys = await keep(uniqueSymbol(), 'a')
  await client.tool('invalidate_cache', { cache_type: 'news' })
  expect(await statesOf(keys)).toEqual(['served'])
  const refused = await client.refused('invalidate_cache', { pattern: '*' })
  expect(refused).toMatchObject({
    code: 'confirmation_required',
    message: expect.stringMatching(/everything that is cached, now \d+ patterns, \d+ indicators/),
    plan: { invalidates: 'everything' },
  })
  expect(await statesOf(keys)).toEqual(['served'])
  const { confirm_token } = refused
  const answer = await client.tool('invalidate_cache', { pattern: '*', confirm_token })
  expect(answer.keys_deleted).toBeGreaterThan(0)
  expect(await statesOf(keys)).toEqual(['absent'])
  expect((await client.resource('cache/keys')).keys).toEqual([])
})

test('a write outdates what depends on it for all servers at once, and its bodies go afterwards', async () => {
  const [symbol, other] = [uniqueSymbol(), uniqueSymbol()]
  for (const each of [symbol, other]) {
    await client.tool('persist_news_catalyst', story({ symbol: each, headline: uniqueHeadline() }))
  }
  const lists = [symbol, other].map((each) => `news:symbol:${each}:50`)
  await waitFor(async () => {
    for (const each of [symbol, other]) await client.resource(`news?symbol=${each}`)
    return (await statesOf(lists)).every((state) => state === 'served')
  })
  await second.client.tool('persist_news_catalyst', story({ symbol, headline: uniqueHeadline() }))
  const [outdated, kept] = await statesOf(lists)
  expect([outdated, kept]).toEqual([expect.stringMatching(/outdated|absent/), 'served'])
  await waitFor(async () => (await stateOf(lists[0] ?? '')) === 'absent', { what: 'the removal' })
  await waitFor(async () =>
    (await invalidations()).some(
      ({ cause, keys_deleted }: Record<string, unknown>) =>
        cause === 'change' && Number(keys_deleted) > 0,
    ),
  )
  expect(await stateOf(lists[1] ?? '')).toBe('served')
})

test.each([
  [{}, /exactly one of/],
  [{ pattern: 'news:*', symbol: 'AAPL' }, /exactly one of/],
  [{ pattern: 'news:*', cache_type: 'news' }, /exactly one of/],
])('%j is refused, and nothing is invalidated', async (args, message) => {
  const before = (await invalidations()).length
  expect(await client.refused('invalidate_cache', args)).toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(message),
  })
  expect((await invalidations()).length).toBe(before)
})
