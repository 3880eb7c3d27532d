import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { bar, minute } from './bars.js'
import { uniqueSymbol } from './support.js'

const { client, database } = await startApp()

const persist = (symbol: string, bars: unknown[], more: Record<string, unknown> = {}) =>
  client.tool('persist_price_bars', { symbol, timeframe: '1m', bars, ...more })

const rows = (symbol: string) =>
  database.query(
    `select b.ts, b.open, b.high, b.low, b.close, b.volume, b.revision
     from catalyst.price_bars b join catalyst.securities s using (security_id)
     where s.symbol = $1 order by b.ts`,
    [symbol],
  )

test('bars are stored exactly, then known, then replaced by other values', async () => {
  const symbol = uniqueSymbol()
  const exact = bar(minute(0), {
    open: '187.250001',
    high: '999999999999.999999',
    low: '0.000001',
    close: 187.3,
    volume: '12345678901234567.123456',
  })
  const bars = [exact, bar(minute(1)), bar('2024-08-12T09:32:00.000001-04:00')]
  const first = await persist(symbol, bars)
  expect(first).toEqual({ stored: 3, replaced: 0, unchanged: 0, rejected: 0, errors: [] })
  expect(await rows(symbol)).toMatchObject([
    {
      ts: '2024-08-12T13:30:00Z',
      open: '187.250001',
      high: '999999999999.999999',
      low: '0.000001',
      close: '187.300000',
      volume: '12345678901234567.123456',
      revision: 0,
    },
    { ts: '2024-08-12T13:31:00Z', close: '10.500000' },
    { ts: '2024-08-12T13:32:00Z' },
  ])
  expect(await persist(symbol, bars)).toMatchObject({ stored: 0, replaced: 0, unchanged: 3 })
  const corrected = [exact, bar(minute(1), { close: '10.500001' }), bar(minute(3))]
  expect(await persist(symbol, corrected)).toMatchObject({
    stored: 1,
    replaced: 1,
    unchanged: 1,
    rejected: 0,
  })
  expect((await rows(symbol))[1]).toMatchObject({ close: '10.500001', revision: 1 })
})

test('timestamp is another name of ts, volume may be left out, the same number may be written otherwise', async () => {
  const symbol = uniqueSymbol()
  const { ts, volume: _, ...values } = bar(minute(0))
  const answer = await persist(` ${symbol.toLowerCase()} `, [
    { timestamp: ts, ...values },
    { ts: '2024-08-12T15:30:00.0000000+02:00', ...values, open: '10.0', close: '10.50', volume: 0 },
  ])
  expect(answer).toEqual({ stored: 1, replaced: 0, unchanged: 1, rejected: 0, errors: [] })
  expect(await rows(symbol)).toMatchObject([{ volume: '0.000000' }])
})

const future = () => new Date(Date.now() + 6 * 60_000).toISOString()

const bad: [field: string, bar: unknown][] = [
  ['high', bar(minute(0), { high: 10.4 })],
  ['high', bar(minute(0), { high: 8, low: 8.5, open: 8, close: 8 })],
  ['low', bar(minute(0), { low: 10.2, open: 10.1, close: 10.5 })],
  ['open', bar(minute(0), { open: '10.0000001' })],
  ['open', bar(minute(0), { open: 0 })],
  ['low', bar(minute(0), { low: -1 })],
  ['close', bar(minute(0), { close: 'NaN' })],
  ['close', bar(minute(0), { close: 'Infinity' })],
  ['close', bar(minute(0), { close: null })],
  ['close', bar(minute(0), { close: '1e1' })],
  ['close', bar(minute(0), { close: "10'; drop table catalyst.price_bars; --" })],
  ['high', bar(minute(0), { high: '1000000000000' })],
  ['high', bar(minute(0), { high: 123456789012.3456 })],
  ['volume', bar(minute(0), { volume: -1 })],
  ['volume', bar(minute(0), { volume: '0.0000001' })],
  ['ts', bar(future())],
  ['ts', bar('1969-12-31T23:59:59Z')],
  ['ts', bar('0000-01-01T00:00:00Z')],
  ['ts', bar('2024-08-12T13:30:00')],
  ['ts', bar('2024-02-30T13:30:00Z')],
  ['ts', bar('now\0')],
  ['ts', bar(minute(0), { ts: undefined })],
  ['timestamp', bar(minute(0), { timestamp: minute(0) })],
  ['vwap', bar(minute(0), { vwap: 10 })],
  ['bar', 'not a bar'],
  ['bar', null],
  ['bar', [bar(minute(0))]],
]

test('bad bars are reported by index and field, and the rest is stored', async () => {
  const symbol = uniqueSymbol()
  const bars = bad.flatMap(([, item], i) => [item, bar(minute(i + 1))])
  const answer = await persist(symbol, bars)
  expect(answer).toMatchObject({ stored: bad.length, rejected: bad.length, unchanged: 0 })
  expect(answer.errors).toEqual(
    bad.map(([field], i) => ({
      index: 2 * i,
      code: 'invalid_input',
      message: expect.stringMatching(new RegExp(`^(unknown field "?)?${field}|${field}`)),
    })),
  )
  expect(JSON.stringify(answer.errors)).not.toContain('drop table')
  expect(await rows(symbol)).toHaveLength(bad.length)
})

test('of two bars of one interval in a call the last is stored, as if they had come one by one', async () => {
  const symbol = uniqueSymbol()
  const bars = [bar(minute(0)), bar(minute(0), { close: 10.6 }), bar(minute(0.5), { close: 10.6 })]
  const answer = await persist(symbol, bars)
  expect(answer).toMatchObject({ stored: 1, replaced: 1, unchanged: 1, rejected: 0 })
  expect(await rows(symbol)).toMatchObject([{ close: '10.600000', revision: 1 }])
  expect(await persist(symbol, [bar(minute(0)), bar(minute(0), { close: 10.7 })])).toMatchObject({
    stored: 0,
    replaced: 2,
  })
  expect(await rows(symbol)).toMatchObject([{ close: '10.700000', revision: 3 }])
})

test('a call whose bars are all rejected writes nothing, not even the symbol', async () => {
  const symbol = uniqueSymbol()
  expect(await persist(symbol, [bar(future())])).toMatchObject({ stored: 0, rejected: 1 })
  const known = await database.query('select 1 from catalyst.securities where symbol = $1', [
    symbol,
  ])
  expect(known).toEqual([])
})

test.each([
  ['symbol', { symbol: "AAPL'; drop table catalyst.securities; --" }],
  ['symbol', { symbol: 'AA\0PL' }],
  ['timeframe', { timeframe: '7m' }],
  ['bars', { bars: [] }],
  ['bars', { bars: Array.from({ length: 10_001 }, () => 0) }],
  ['bars', { bars: 'all' }],
  ['account', { account: 'x' }],
])('a call with a bad %s is refused naming it', async (field, wrong) => {
  const call = { symbol: uniqueSymbol(), timeframe: '1m', bars: [bar(minute(0))], ...wrong }
  const error = await client.refused('persist_price_bars', call)
  expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining(field) })
  expect(error.message).not.toContain('drop table')
})

test('the same key gives the first answer again and writes nothing', async () => {
  const symbol = uniqueSymbol()
  const key = { idempotency_key: `bars-${symbol}` }
  const first = await persist(symbol, [bar(minute(0))], key)
  await persist(symbol, [bar(minute(0), { close: 9.5 })])
  expect(await persist(symbol, [bar(minute(0))], key)).toEqual({ ...first, replayed: true })
  expect(await rows(symbol)).toMatchObject([{ close: '9.500000', revision: 1 }])
})
