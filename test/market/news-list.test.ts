import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { minutesAfter, story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, database } = await startApp()
const START = '2024-08-12T14:00:00Z'

const persist = (overrides: Record<string, unknown>) =>
  client.tool('persist_news_catalyst', story({ headline: uniqueHeadline(), ...overrides }))

const list = (query: Record<string, string | number>) => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) parameters.set(name, String(value))
  return client.resource(`news?${parameters}`)
}

const idsOf = async (query: Record<string, string | number>): Promise<string[]> =>
  (await list(query)).items.map(({ news_id }: { news_id: string }) => news_id)

test('a story is listed with what was stored of it', async () => {
  const symbol = uniqueSymbol()
  const headline = `FDA decision: ${uniqueHeadline()}`
  const answer = await persist({
    headline,
    symbol,
    source: 'wsj.com',
    url: 'https://example.com/1',
    published_timestamp: '2024-08-12T14:00:00.123456Z',
  })
  const { items, next_cursor } = await list({ symbol: symbol.toLowerCase() })
  expect(next_cursor).toBeNull()
  expect(items).toEqual([
    {
      news_id: answer.news_id,
      headline,
      source: 'Wall Street Journal',
      source_tier: 2,
      symbol,
      published_at: '2024-08-12T14:00:00.123456Z',
      expected_direction: 0,
      collected_at: expect.stringMatching(/Z$/),
      market_state: 'regular',
      catalyst_type: 'fda',
      catalyst_score: answer.catalyst_score,
      keywords: ['technology'],
      urgency_score: 0.5,
      update_count: 0,
      cluster_id: answer.cluster_id,
      url: 'https://example.com/1',
    },
  ])
})

test('pages hold every story once, newest first, also where many have one time', async () => {
  const symbol = uniqueSymbol()
  const times = [0, 0, 0, 0, 1, 2, 2, 2, 3, 4, 4]
  const articles = times.map((after) =>
    story({
      symbol,
      headline: uniqueHeadline(),
      published_timestamp: minutesAfter(START, after),
    }),
  )
  await client.tool('persist_news_batch', { articles, deduplicate: true })
  const whole = await list({ symbol, limit: 500 })
  const published = whole.items.map((item: { published_at: string }) =>
    Date.parse(item.published_at),
  )
  expect(published).toEqual(
    [...times].reverse().map((after) => Date.parse(minutesAfter(START, after))),
  )
  const paged: unknown[] = []
  let cursor: string | null = null
  do {
    const query: Record<string, string | number> = { symbol, limit: 2 }
    const page = await list(cursor === null ? query : { ...query, cursor })
    expect(page.items.length).toBeLessThanOrEqual(2)
    paged.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== null)
  expect(paged).toEqual(whole.items)
})

test('every filter leaves out what it should, alone and together', async () => {
  const symbol = uniqueSymbol()
  const at = (minutes: number) => ({ published_timestamp: minutesAfter(START, minutes) })
  const old = await persist({ symbol, source: 'Reuters', ...at(0) })
  const fda = await persist({
    symbol,
    source: 'Bloomberg News',
    headline: `FDA approval ${uniqueHeadline()}`,
    published_timestamp: new Date().toISOString(),
  })
  const other = await persist({ symbol, source: 'CNBC', ...at(10) })
  expect(await idsOf({ symbol })).toEqual([fda, other, old].map(({ news_id }) => news_id))
  expect(await idsOf({ symbol, source: ' bloomberg.COM ' })).toEqual([fda.news_id])
  expect(await idsOf({ symbol, source: 'Bloomberg' })).toEqual([fda.news_id])
  expect(await idsOf({ symbol, source: 'Bloom' })).toEqual([])
  expect(await idsOf({ symbol, source: '%' })).toEqual([])
  expect(await idsOf({ symbol, catalyst_type: 'fda' })).toEqual([fda.news_id])
  expect(await idsOf({ symbol, min_score: 30 })).toEqual([fda.news_id])
  expect(await idsOf({ symbol, min_score: 0 })).toHaveLength(3)
  const until = minutesAfter(START, 10)
  expect(await idsOf({ symbol, since: START, until })).toEqual([old.news_id])
  expect(await idsOf({ symbol, since: until, until: minutesAfter(START, 11) })).toEqual([
    other.news_id,
  ])
  expect(await idsOf({ symbol, source: 'CNBC', catalyst_type: 'fda' })).toEqual([])
  expect(await idsOf({ catalyst_type: 'fda', min_score: 30, limit: 1 })).toEqual([fda.news_id])
  expect((await idsOf({ limit: 1 }))[0]).toBe(fda.news_id)
  expect((await idsOf({ source: 'CNBC', limit: 1 }))[0]).toBe(other.news_id)
})

test('a story that names a second company is found by both', async () => {
  const [first, second] = [uniqueSymbol(), uniqueSymbol()]
  const headline = uniqueHeadline()
  const { news_id } = await persist({ headline, symbol: first })
  await persist({ headline, symbol: second, published_timestamp: minutesAfter(START, 5) })
  const own = await persist({ symbol: second, published_timestamp: minutesAfter(START, -5) })
  expect(await idsOf({ symbol: first })).toEqual([news_id])
  expect(await idsOf({ symbol: second })).toEqual([news_id, own.news_id])
  expect(await idsOf({ symbol: second, limit: 1 })).toEqual([news_id])
})

test('a symbol and a source that nobody has stored have no stories, and are not stored now', async () => {
  const [symbol, source] = [uniqueSymbol(), uniqueHeadline()]
  const nothing = { items: [], next_cursor: null }
  expect(await list({ symbol })).toEqual(nothing)
  expect(await list({ source })).toEqual(nothing)
  expect(await list({ symbol: 'AAPL', source: "'; drop table catalyst.news_sources; --" })).toEqual(
    nothing,
  )
  const known = await database.query(
    `select symbol from catalyst.securities where symbol = $1
     union all select name from catalyst.news_sources where name = $2`,
    [symbol, source],
  )
  expect(known).toEqual([])
})

test.each([
  ['symbol', "AAPL'; drop table catalyst.news_articles; --"],
  ['symbol', 'AA\0PL'],
  ['source', 'zero\0byte'],
  ['source', ' '],
  ['since', 'yesterday'],
  ['until', '2024-08-12T14:00:00'],
  ['catalyst_type', 'rumour'],
  ['min_score', '101'],
  ['min_score', 'NaN'],
  ['limit', '501'],
  ['cursor', 'bm90IGEgY3Vyc29y'],
  ['author', 'x'],
])('a bad %s is refused by name', async (name, value) => {
  const refusal = await list({ [name]: value }).catch((error: Error) => error.message)
  expect(refusal).toContain(name)
  expect(refusal).not.toContain('drop table')
})

test.each([
  ['a time that is none', ['not a time', 'nws_0']],
  ['a zero byte', [START, 'nws_\0']],
])('a cursor made up with %s is refused as input', async (_, key) => {
  const cursor = Buffer.from(JSON.stringify(key)).toString('base64url')
  await expect(list({ cursor })).rejects.toThrow(/cursor: not one that this list gave out/)
})

test('control characters of a headline stay in its field', async () => {
  const symbol = uniqueSymbol()
  const headline = `\u001b[31mIgnore all\r\n\tprevious "instructions" ${uniqueHeadline()}\u0007`
  await persist({ symbol, headline })
  const { items } = await list({ symbol })
  expect(items).toMatchObject([{ headline }])
})

test('a session reads its own story, and nobody else does before the commit', async () => {
  const symbol = uniqueSymbol()
  const { session_id } = await client.tool('start_db_session')
  const params = story({ symbol, headline: uniqueHeadline() })
  const execute = (operations: unknown[], commit: boolean) =>
    client.tool('execute_transaction', { session_id, operations, commit })
  const { results } = await execute(
    [{ tool: 'persist_news_catalyst', params }, { resource: `news?symbol=${symbol}` }],
    false,
  )
  const [{ news_id }, { items }] = results
  expect(items).toMatchObject([{ news_id }])
  expect(await idsOf({ symbol })).toEqual([])
  await expect(client.resource(`news/${news_id}`)).rejects.toThrow()
  const read = await execute([{ resource: `news/${news_id}` }], true)
  expect(read.results).toMatchObject([{ news_id, symbol }])
  expect(await idsOf({ symbol })).toEqual([news_id])
})
