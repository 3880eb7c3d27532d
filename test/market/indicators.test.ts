import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { bar, type Candle, indicatorsOf, minute, sent } from './bars.js'
import { uniqueSymbol } from './support.js'

const { client, database } = await startApp()

const persist = (symbol: string, bars: unknown[], timeframe = '1m') =>
  client.tool('persist_price_bars', { symbol, timeframe, bars })

const stored = async (symbol: string) => {
  const rows = await database.query<{ ts: string; atr_14: string | null; sma_20: string | null }>(
    `select t.ts, t.atr_14, t.sma_20
     from catalyst.technical_indicators t join catalyst.securities s using (security_id)
     where s.symbol = $1 order by t.ts`,
    [symbol],
  )
  return rows.map((row) => ({ ...row, ts: new Date(row.ts).toISOString() }))
}

test('ATR 14 and SMA 20 of an example computed by hand', async () => {
  const symbol = uniqueSymbol()
  // Each bar spans 2 around the close before it; the sixteenth gaps up by 5 and spans 1.
  const bars = Array.from({ length: 21 }, (_, i) => {
    if (i < 15) return bar(minute(i), { open: 10, high: 11, low: 9, close: 10 })
    return bar(minute(i), { open: 15, high: 15.5, low: 14.5, close: 15 })
  })
  await persist(symbol, bars)
  const rows = await stored(symbol)
  expect(rows.slice(0, 14).map(({ atr_14 }) => atr_14)).toEqual(Array(14).fill(null))
  // 14 true ranges of 2; then (13 * 2 + 15.5 - 10) / 14; then (13 * 2.25 + 1) / 14.
  expect(rows.slice(14, 17).map(({ atr_14 }) => atr_14)).toEqual([
    '2.000000',
    '2.250000',
    '2.160714',
  ])
  expect(rows.slice(0, 19).map(({ sma_20 }) => sma_20)).toEqual(Array(19).fill(null))
  expect(rows.slice(19).map(({ sma_20 }) => sma_20)).toEqual(['11.250000', '11.500000'])
})

const millionths = (min: number, max: number) => fc.bigInt({ min: BigInt(min), max: BigInt(max) })

const candle = fc
  .record({
    at: fc.nat(90),
    low: millionths(1, 200_000_000),
    rise: millionths(0, 9_000_000),
    share: fc.bigInt({ min: 0n, max: 1_000n }),
  })
  .map(({ at, low, rise, share }) => ({
    // Every thirtieth is a year away: gaps, several months, spans of their own.
    ts: minute(at % 30, `20${21 + Math.floor(at / 30)}-01-31T23:50:00.000Z`),
    low,
    high: low + rise,
    close: low + (rise * share) / 1_000n,
  }))

const batches = fc.array(
  fc.uniqueArray(candle, { minLength: 1, maxLength: 40, selector: ({ ts }) => ts }),
  { minLength: 1, maxLength: 6 },
)

test('whatever the order of the batches, the indicators are those of the whole series', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (given) => {
      const symbol = uniqueSymbol()
      const series = new Map<string, Candle>()
      for (const batch of given) {
        await persist(symbol, batch.map(sent))
        for (const one of batch) series.set(one.ts, one)
      }
      expect(await stored(symbol)).toEqual(indicatorsOf([...series.values()]))
    }),
    { numRuns: 30, endOnFailure: true },
  )
})

test.each([0, 1, 20, 40, 58, 59])('one bar corrected, number %i of sixty', async (at) => {
  const symbol = uniqueSymbol()
  const series = Array.from({ length: 60 }, (_, i): Candle => {
    const low = 100_000_000n + BigInt((i * 7_919) % 5_000_000)
    return { ts: minute(i), low, high: low + 1_500_000n, close: low + BigInt((i * 31) % 1_500_000) }
  })
  await persist(symbol, series.map(sent))
  const corrected = series.map((one, i) =>
    i === at ? { ...one, low: 1n, close: 50_000_000n } : one,
  )
  await persist(symbol, corrected.filter((_, i) => i === at).map(sent))
  expect(await stored(symbol)).toEqual(indicatorsOf(corrected))
})

test('series of other symbols and timeframes do not count', async () => {
  const [symbol, other] = [uniqueSymbol(), uniqueSymbol()]
  const half = (first: number) => Array.from({ length: 10 }, (_, i) => bar(minute(2 * i + first)))
  await persist(symbol, half(0))
  await persist(other, half(1))
  await persist(
    symbol,
    half(1).map((_, i) => bar(minute(5 * i))),
    '5m',
  )
  const rows = await stored(symbol)
  expect(rows).toHaveLength(20)
  expect(rows.every(({ atr_14, sma_20 }) => atr_14 === null && sma_20 === null)).toBe(true)
  await persist(symbol, half(1))
  const [full] = (await stored(symbol)).filter(({ sma_20 }) => sma_20 !== null)
  expect(full).toMatchObject({ sma_20: '10.500000', atr_14: '2.000000' })
})

test('bars of two writers at the same time count for each other', async () => {
  const symbols = Array.from({ length: 8 }, uniqueSymbol)
  const bars = Array.from({ length: 40 }, (_, i) => bar(minute(i)))
  const parts = [0, 1, 2, 3].map((part) => bars.filter((_, i) => i % 4 === part))
  await Promise.all(symbols.flatMap((symbol) => parts.map((part) => persist(symbol, part))))
  for (const symbol of symbols) {
    const rows = await stored(symbol)
    expect(rows.filter(({ sma_20 }) => sma_20 !== null)).toHaveLength(21)
    expect(rows.filter(({ atr_14 }) => atr_14 !== null)).toHaveLength(26)
  }
})

test('the first averages are those of the regression table of TA-Lib', async () => {
  // High, low and close of its test series, and NATR 14 of the last two: 100 * ATR / close.
  const series = [
    [93.25, 90.75, 91.5],
    [94.94, 91.405, 94.815],
    [96.375, 94.25, 94.375],
    [96.19, 93.5, 95.095],
    [96, 92.815, 93.78],
    [94.72, 93.5, 94.625],
    [95, 92, 92.53],
    [93.72, 89.75, 92.75],
    [92.47, 89.44, 90.315],
    [92.75, 90.625, 92.47],
    [96.25, 92.75, 96.125],
    [99.625, 96.315, 97.25],
    [99.125, 96.03, 98.5],
    [92.75, 88.815, 89.875],
    [91.315, 86.75, 91],
    [93.25, 90.94, 92.815],
  ] as const
  const symbol = uniqueSymbol()
  const bars = series.map(([high, low, close], i) =>
    bar(minute(i), { open: low, high, low, close }),
  )
  await persist(symbol, bars)
  const rows = await stored(symbol)
  expect(rows[13]?.atr_14).toBeNull()
  expect(rows.slice(14).map(({ atr_14 }) => atr_14)).toEqual(['3.578214', '3.487628'])
  const natr = rows
    .slice(14)
    .map(({ atr_14 }, i) => (100 * Number(atr_14)) / (series[14 + i]?.[2] ?? 0))
  expect(natr.map((value) => value.toFixed(4))).toEqual(['3.9321', '3.7576'])
})

test('a correction far back goes forward until nothing changes any more, and no further', async () => {
  const symbol = uniqueSymbol()
  const series = Array.from({ length: 1_500 }, (_, i): Candle => {
    const low = 100_000_000n + BigInt((i * 7_919) % 5_000_000)
    return { ts: minute(i), low, high: low + 1_500_000n, close: low + BigInt((i * 31) % 1_500_000) }
  })
  await persist(symbol, series.map(sent))
  const corrected = series.map((one, i) => (i === 20 ? { ...one, low: 1n } : one))
  const before = await stored(symbol)
  await persist(symbol, corrected.slice(20, 21).map(sent))
  const after = await stored(symbol)
  expect(after).toEqual(indicatorsOf(corrected))
  const changed = after.filter((row, i) => row.atr_14 !== before[i]?.atr_14)
  expect(changed.length).toBeGreaterThan(150)
  expect(after.at(-1)).toEqual(before.at(-1))
})
