import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { bar } from './bars.js'
import { uniqueSymbol } from './support.js'

const first = await startApp()
const { database } = first

/** Two bars of each of 24 months. */
const months = (from: number) =>
  Array.from({ length: 24 }, (_, i) => [2, 9].map((day) => new Date(Date.UTC(from, i, day, 15))))
    .flat()
    .map((at) => bar(at.toISOString()))

const persist = ({ client }: typeof first, symbol: string, bars: unknown[]) =>
  client.tool('persist_price_bars', { symbol, timeframe: '1h', bars })

const stored = async (symbols: readonly string[]) => {
  const [row] = await database.query(
    `select count(*)::int as bars, count(t.ts)::int as indicators
     from catalyst.price_bars b
     join catalyst.securities s using (security_id)
     left join catalyst.technical_indicators t using (security_id, timeframe, ts)
     where s.symbol = any ($1)`,
    [symbols],
  )
  return row
}

test('sixteen backfills of new symbols over 24 months without a partition lose nothing', async () => {
  const symbols = Array.from({ length: 16 }, uniqueSymbol)
  const answers = await Promise.all(
    symbols.map((symbol, i) =>
      persist(first, symbol, i % 2 === 0 ? months(1995) : months(1995).reverse()),
    ),
  )
  expect(answers.map((answer) => answer.stored)).toEqual(Array(16).fill(48))
  expect(await stored(symbols)).toEqual({ bars: 16 * 48, indicators: 16 * 48 })
})

test('neither do halves of the same symbols by two servers, in opposite orders', async () => {
  const second = await startApp({ database })
  const symbols = Array.from({ length: 4 }, uniqueSymbol)
  const bars = months(1991)
  const half = (odd: number) => bars.filter((_, i) => i % 2 === odd)
  const answers = await Promise.all(
    symbols.flatMap((symbol) => [
      persist(first, symbol, half(0)),
      persist(second, symbol, half(1).reverse()),
      persist(second, symbol, bars),
      persist(first, symbol, [...bars].reverse()),
    ]),
  )
  expect(answers.reduce((sum, answer) => sum + answer.stored, 0)).toBe(4 * 48)
  expect(await stored(symbols)).toEqual({ bars: 4 * 48, indicators: 4 * 48 })
})
