import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { bar, indicatorsOf, minute, sent } from './bars.js'
import { uniqueSymbol } from './support.js'

const { client } = await startApp()

const persist = (symbol: string, timeframe: string, bars: unknown[]) =>
  client.tool('persist_price_bars', { symbol, timeframe, bars })

const list = (query: Record<string, string>) =>
  client.resource(`prices?${new URLSearchParams(query)}`)

const texts = (at: string) => new Date(at).toISOString()

test('bars are listed newest first, exactly, with their indicators, page by page', async () => {
  const symbol = uniqueSymbol()
  const series = Array.from({ length: 45 }, (_, i) => {
    const low = 100_000_000n + BigInt((i * 7_919) % 5_000_000)
    return { ts: minute(i), low, high: low + 1_500_000n, close: low + 1n }
  })
  await persist(symbol, '1m', series.map(sent))
  const seen: { ts: string; atr_14: string | null; sma_20: string | null }[] = []
  let cursor: string | null = null
  do {
    const page = await list({ symbol, timeframe: '1m', ...(cursor ? { cursor } : {}) })
    expect(page.items.length).toBeLessThanOrEqual(20)
    seen.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== null)
  expect(
    seen.map(({ ts, atr_14, sma_20 }) => ({ ts: texts(ts), atr_14, sma_20 })).reverse(),
  ).toEqual(indicatorsOf(series))
  expect(seen[0]).toMatchObject({ symbol, timeframe: '1m', low: '100.348436', volume: '100' })
})

test('filters by timeframe, time and when it was stored; without a symbol those of all', async () => {
  const [symbol, other] = [uniqueSymbol(), uniqueSymbol()]
  await persist(symbol, '1d', [bar('2024-08-12T00:00:00Z'), bar('2024-08-13T00:00:00Z')])
  await persist(symbol, '1h', [bar('2024-08-13T14:00:00Z')])
  const all = await list({ symbol })
  expect(
    all.items.map(({ timeframe, ends_at }: Record<string, string>) => [
      timeframe,
      texts(ends_at ?? ''),
    ]),
  ).toEqual([
    ['1h', '2024-08-13T15:00:00.000Z'],
    ['1d', '2024-08-13T20:00:00.000Z'],
    ['1d', '2024-08-12T20:00:00.000Z'],
  ])
  const until = '2024-08-13T04:00:00Z'
  expect((await list({ symbol, timeframe: '1d', until })).items).toHaveLength(1)
  expect((await list({ symbol, timeframe: '1d', since: until })).items).toHaveLength(1)
  const last = all.items
    .map(({ recorded_at }: { recorded_at: string }) => recorded_at)
    .sort()
    .at(-1)
  await persist(symbol, '1d', [bar('2024-08-12T00:00:00Z', { close: 10.6 })])
  await persist(other, '1d', [bar('2024-08-12T00:00:00Z')])
  const since = new Date(Date.parse(last) + 1).toISOString()
  const { items } = await list({ stored_since: since })
  expect(
    items.map((item: { symbol: string; revision: number }) => [item.symbol, item.revision]),
  ).toEqual([
    [symbol, 1],
    [other, 0],
  ])
  expect(await list({ symbol: uniqueSymbol() })).toEqual({ items: [], next_cursor: null })
})

test.each(['timeframe=7m', 'limit=501', 'symbol=%27', 'cursor=eA', 'day=1'])(
  'prices?%s is refused by name',
  async (query) => {
    await expect(client.resource(`prices?${query}`)).rejects.toThrow(query.split('=')[0] ?? '')
  },
)
