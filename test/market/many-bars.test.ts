import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { type Candle, indicatorsOf, minute, sent } from './bars.js'
import { uniqueSymbol } from './support.js'

const { client, database } = await startApp()

const candles = (n: number, spacing = 1): Candle[] =>
  Array.from({ length: n }, (_, i) => {
    const low = 100_000_000n + BigInt((i * 7_919) % 5_000_000)
    const ts = minute(i * spacing, '2015-01-02T14:30:00.000Z')
    return { ts, low, high: low + 1_500_000n, close: low + BigInt((i * 31) % 1_500_000) }
  })

const persist = (symbol: string, bars: unknown[]) =>
  client.tool('persist_price_bars', { symbol, timeframe: '1m', bars })

const indicators = async (symbol: string) => {
  const rows = await database.query(
    `select t.ts, t.atr_14, t.sma_20
     from catalyst.technical_indicators t join catalyst.securities s using (security_id)
     where s.symbol = $1 order by t.ts`,
    [symbol],
  )
  return rows.map((row) => ({ ...row, ts: new Date(row.ts).toISOString() }))
}

test('ten thousand bars go in with one call, and again without any change', async () => {
  const symbol = uniqueSymbol()
  const series = candles(10_000)
  const backwards = series.map(sent).reverse()
  expect(await persist(symbol, backwards)).toMatchObject({ stored: 10_000, rejected: 0 })
  expect(await indicators(symbol)).toEqual(indicatorsOf(series))
  expect(await persist(symbol, backwards)).toMatchObject({ stored: 0, unchanged: 10_000 })
})

test('four thousand bars that lie a day apart are as many spans in 132 months, and still one call', async () => {
  const symbol = uniqueSymbol()
  const series = candles(4_000, 1_440)
  expect(await persist(symbol, series.map(sent))).toMatchObject({ stored: 4_000 })
  expect(await indicators(symbol)).toEqual(indicatorsOf(series))
})

test('calls with the same bars at the same time: each bar is stored by one of them', async () => {
  const symbol = uniqueSymbol()
  const bars = candles(3_000).map(sent)
  const answers = await Promise.all([
    persist(symbol, bars),
    persist(symbol, [...bars].reverse()),
    persist(symbol, bars),
  ])
  const sum = (field: string) => answers.reduce((total, answer) => total + answer[field], 0)
  expect([sum('stored'), sum('replaced'), sum('unchanged')]).toEqual([3_000, 0, 6_000])
})

test('calls that correct the same bars at the same time end with the values of one of them', async () => {
  const symbol = uniqueSymbol()
  const series = candles(500)
  const moved = (by: bigint) => series.map((one) => sent({ ...one, close: one.low + by }))
  const answers = await Promise.all([1n, 2n, 3n].map((by) => persist(symbol, moved(by))))
  const sum = (field: string) => answers.reduce((total, answer) => total + answer[field], 0)
  expect([sum('stored'), sum('replaced')]).toEqual([500, 1_000])
  const kept = await database.query(
    `select distinct b.close - b.low as by, b.revision
     from catalyst.price_bars b join catalyst.securities s using (security_id)
     where s.symbol = $1`,
    [symbol],
  )
  expect(kept).toEqual([{ by: expect.any(String), revision: 2 }])
})
