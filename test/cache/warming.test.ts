import { expect, test } from 'vitest'
import { bar, minute } from '../market/bars.js'
import { story, uniqueHeadline } from '../market/support.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { detection, uniqueType } from '../trading/pattern-support.js'
import { uniqueSymbol } from '../trading/support.js'

const { client } = await startApp()
const TYPES = ['patterns', 'indicators', 'sentiment', 'news']
const NOTHING = 'nothing is stored about it'
const valueUnder = async (key: string) => (await client.resource(`cache/entries/${key}`)).value

/** A symbol with two stories, 21 bars, and a pattern that came true. */
async function knownSymbol() {
  const [symbol, pattern_type] = [uniqueSymbol(), uniqueType()]
  const texts = ['quarterly earnings beat', 'opens a campus'].map(
    (text) => `${text} ${uniqueHeadline()}`,
  )
  for (const headline of texts) {
    await client.tool('persist_news_catalyst', story({ symbol, headline, source: `S ${headline}` }))
  }
  const bars = Array.from({ length: 21 }, (_, i) => bar(minute(i)))
  await client.tool('persist_price_bars', { symbol, timeframe: '1m', bars })
  const { pattern_id } = await client.tool('persist_pattern_detection', {
    ...detection({ symbol, pattern_type }),
  })
  await client.tool('update_pattern_outcome', { pattern_id, success: true })
  await settled(symbol)
  return { symbol, pattern_type, pattern_id }
}

/** What was just written is published: else warming would find it still changing. */
const settled = (symbol: string) =>
  waitFor(async () => {
    const call = { symbol, pattern_type: 'settled', result: {} }
    return (await client.tool('cache_pattern_result', call)).cached
  })

test('entries are built from what is stored, and say just that', async () => {
  const { symbol, pattern_type, pattern_id } = await knownSymbol()
  const answer = await client.tool('warm_cache', { symbols: [symbol, symbol], cache_types: TYPES })
  expect(answer).toEqual({
    warmed_entries: 4,
    duration_ms: expect.any(Number),
    by_cache_type: { patterns: 1, indicators: 1, sentiment: 1, news: 1 },
    skipped: [],
  })
  const page = await client.resource(`news?symbol=${symbol}`)
  expect(await valueUnder(`news:symbol:${symbol}:50`)).toEqual(page)
  const scores = page.items.map(({ catalyst_score }: { catalyst_score: number }) => catalyst_score)
  expect(await valueUnder(`sentiment:${symbol}`)).toMatchObject({
    symbol,
    stories: 2,
    mean_score: expect.closeTo((scores[0] + scores[1]) / 2, 3),
    max_score: Math.max(...scores),
    newest_published_at: page.items[0].published_at,
    companies: [symbol],
  })
  expect(await valueUnder(`indicators:${symbol}:1m`)).toMatchObject({
    latest: { ts: expect.stringContaining('13:50'), atr_14: '2.000000', sma_20: '10.500000' },
  })
  expect(await valueUnder(`pattern:${symbol}:${pattern_type}`)).toMatchObject({
    symbol,
    pattern_type,
    statistics: [{ n: 1, wins: 1 }],
    detections: [{ pattern_id, status: 'resolved', success: true }],
  })
  const { redis_info } = await client.resource('cache/stats')
  expect(redis_info.by_cache_type.news.hits).toBeGreaterThan(0)
})

test('what has nothing stored is skipped, and said to be', async () => {
  const symbols = [uniqueSymbol(), uniqueSymbol()]
  const answer = await client.tool('warm_cache', { symbols, cache_types: TYPES })
  expect(answer).toMatchObject({
    warmed_entries: 0,
    by_cache_type: { patterns: 0, indicators: 0, sentiment: 0, news: 0 },
  })
  const expected = symbols.flatMap((symbol) =>
    TYPES.map((cache_type) => ({ symbol, cache_type, reason: NOTHING })),
  )
  expect(answer.skipped).toEqual(expected)
})

test('a result of a client is not overwritten', async () => {
  const { symbol, pattern_type } = await knownSymbol()
  const result = { mine: true }
  await client.tool('cache_pattern_result', { symbol, pattern_type, result })
  const answer = await client.tool('warm_cache', { symbols: [symbol], cache_types: ['patterns'] })
  const reason = 'a client has cached a result there'
  expect(answer).toMatchObject({
    warmed_entries: 0,
    skipped: [{ symbol, cache_type: 'patterns', reason }],
  })
  expect(await valueUnder(`pattern:${symbol}:${pattern_type}`)).toEqual(result)
})

test('a write outdates warmed entries', async () => {
  const { symbol, pattern_type, pattern_id } = await knownSymbol()
  await client.tool('warm_cache', { symbols: [symbol], cache_types: TYPES })
  await client.tool('persist_news_catalyst', story({ symbol, headline: uniqueHeadline() }))
  await client.tool('persist_price_bars', { symbol, timeframe: '1m', bars: [bar(minute(21))] })
  await client.tool('update_pattern_outcome', { pattern_id, success: false })
  const keys = [`news:symbol:${symbol}:50`, `sentiment:${symbol}`, `indicators:${symbol}:1m`]
  for (const key of [...keys, `pattern:${symbol}:${pattern_type}`]) {
    await expect(client.resource(`cache/entries/${key}`), key).rejects.toThrow(/cached under/)
  }
})

test('no faster than the policy allows', async () => {
  const { symbol } = await knownSymbol()
  const started = performance.now()
  const symbols = [symbol]
  await client.tool('warm_cache', { symbols, cache_types: ['sentiment', 'news', 'indicators'] })
  expect(performance.now() - started).toBeGreaterThan(3 * 5)
})

test.each([
  [{ symbols: [], cache_types: ['news'] }],
  [{ symbols: ['AAPL'], cache_types: [] }],
  [{ symbols: ['AAPL'], cache_types: ['everything'] }],
  [{ symbols: ['*'], cache_types: ['news'] }],
  [{ symbols: Array(201).fill('AAPL'), cache_types: ['news'] }],
])('%j is refused', async (args) => {
  expect(await client.refused('warm_cache', args)).toMatchObject({ code: 'invalid_input' })
})
