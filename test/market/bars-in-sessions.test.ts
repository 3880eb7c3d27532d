import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { bar, indicatorsOf, minute } from './bars.js'
import { uniqueSymbol } from './support.js'

const { client, database } = await startApp()

const flat = (from: number, until: number, close: number | string = 10.5) =>
  Array.from({ length: until - from }, (_, i) => bar(minute(from + i), { close }))

const count = async (symbol: string) => {
  const [row] = await database.query<{ bars: number; indicators: number }>(
    `select
       (select count(*)::int from catalyst.price_bars b where b.security_id = s.security_id) as bars,
       (select count(*)::int from catalyst.technical_indicators t
        where t.security_id = s.security_id) as indicators
     from (select max(security_id) as security_id from catalyst.securities where symbol = $1) s`,
    [symbol],
  )
  return row
}

const averages = async (symbol: string) => {
  const rows = await database.query<{ sma_20: string | null }>(
    `select t.sma_20
     from catalyst.technical_indicators t join catalyst.securities s using (security_id)
     where s.symbol = $1 order by t.ts`,
    [symbol],
  )
  return rows.map(({ sma_20 }) => sma_20)
}

const expected = (closes: readonly bigint[]) =>
  indicatorsOf(
    closes.map((close, i) => ({ ts: minute(i), high: 11_000_000n, low: 9_000_000n, close })),
  ).map(({ sma_20 }) => sma_20)

const persist = (symbol: string, bars: unknown[], session_id?: string) =>
  client.tool('persist_price_bars', {
    symbol,
    timeframe: '1m',
    bars,
    ...(session_id === undefined ? {} : { session_id }),
  })

const start = async (isolation_level = 'read_committed'): Promise<string> =>
  (await client.tool('start_db_session', { isolation_level })).session_id

test('bars of an open session are seen by nobody else until it commits', async () => {
  const symbol = uniqueSymbol()
  const session_id = await start()
  await persist(symbol, flat(0, 25), session_id)
  expect(await count(symbol)).toEqual({ bars: 0, indicators: 0 })
  const again = await persist(symbol, flat(0, 26), session_id)
  expect(again).toMatchObject({ stored: 1, unchanged: 25 })
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await count(symbol)).toEqual({ bars: 26, indicators: 26 })
  expect(await averages(symbol)).toEqual(expected(Array(26).fill(10_500_000n)))
})

test('a session rolled back leaves no bar and no indicator', async () => {
  const symbol = uniqueSymbol()
  const session_id = await start()
  await persist(symbol, flat(0, 25), session_id)
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  expect(await count(symbol)).toEqual({ bars: 0, indicators: 0 })
  expect(await database.query('select 1 from catalyst.price_bars_held')).toEqual([])
})

test('the session itself finds the indicators of its new bars at once', async () => {
  const symbol = uniqueSymbol()
  const session_id = await start()
  await persist(symbol, flat(0, 25), session_id)
  const details = await client.resource(`db/sessions/${session_id}`)
  const written = details.locks_held.map(({ relation }: { relation: string }) => relation)
  expect(written.join(' ')).toContain('technical_indicators_202408')
  expect(written.join(' ')).not.toMatch(/bar_series/)
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
})

test('an open session holds up no other writer of the series, and both count in the end', async () => {
  const symbol = uniqueSymbol()
  await persist(symbol, flat(0, 20))
  const session_id = await start()
  await persist(symbol, [...flat(10, 11, 9.5), ...flat(20, 21)], session_id)
  expect(await persist(symbol, [...flat(12, 13, 9.9), ...flat(21, 30)])).toMatchObject({
    stored: 9,
    replaced: 1,
  })
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  const closes = Array.from({ length: 30 }, () => 10_500_000n)
  closes[10] = 9_500_000n
  closes[12] = 9_900_000n
  expect(await averages(symbol)).toEqual(expected(closes))
})

test('a month nobody has stored bars of waits for no session that has written bars and news', async () => {
  const symbol = uniqueSymbol()
  const session_id = await start()
  await persist(symbol, flat(0, 3), session_id)
  await client.tool('persist_news_catalyst', {
    headline: `Company of ${symbol} reports`,
    source: 'Reuters',
    symbol: uniqueSymbol(),
    published_timestamp: '2024-08-12T13:30:00Z',
    catalyst_indicators: { keywords: [], urgency_score: 0.5, market_state: 'regular' },
    session_id,
  })
  const old = [bar('1999-01-04T14:30:00Z'), bar('2001-09-17T13:30:00Z')]
  expect(await persist(symbol, old)).toMatchObject({ stored: 2 })
  expect(await persist(symbol, [bar('1998-01-05T14:30:00Z')], session_id)).toMatchObject({
    stored: 1,
  })
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await count(symbol)).toEqual({ bars: 6, indicators: 6 })
})

test('partitions are made for the months of the bars alone, not for those between', async () => {
  await persist(uniqueSymbol(), [bar('1985-01-02T14:30:00Z'), bar('1987-10-19T13:30:00Z')])
  const rows = await database.query<{ name: string }>(
    `select relname as name from pg_class
     where relkind = 'r' and relname ~ '_198[0-9]{3}$' order by relname`,
  )
  expect(rows.map(({ name }) => name)).toEqual([
    'price_bars_198501',
    'price_bars_198710',
    'technical_indicators_198501',
    'technical_indicators_198710',
  ])
})

test('several changes of one series, out of order, are settled together', async () => {
  const symbol = uniqueSymbol()
  await persist(symbol, flat(0, 60))
  const session_id = await start()
  await persist(symbol, flat(5, 50, 9.5), session_id)
  await persist(symbol, flat(10, 12, 9.6), session_id)
  await persist(symbol, [...flat(60, 61), ...flat(0, 1, 9.7)], session_id)
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  const closes = Array.from({ length: 61 }, (_, i) => {
    if (i === 0) return 9_700_000n
    if (i === 10 || i === 11) return 9_600_000n
    return i >= 5 && i < 50 ? 9_500_000n : 10_500_000n
  })
  expect(await averages(symbol)).toEqual(expected(closes))
})

test.each(['repeatable_read', 'serializable'])(
  'a %s session that could not see a bar committed meanwhile is refused whole',
  async (isolation) => {
    const symbol = uniqueSymbol()
    await persist(symbol, flat(0, 20))
    const session_id = await start(isolation)
    await persist(symbol, flat(20, 21), session_id)
    await persist(symbol, flat(21, 22))
    const error = await client.refused('end_db_session', { session_id, outcome: 'commit' })
    expect(error).toMatchObject({ code: 'conflict', retryable: true })
    expect(await count(symbol)).toEqual({ bars: 21, indicators: 21 })
  },
)

test('a failing operation undoes its own bars and what it left for the commit', async () => {
  const symbol = uniqueSymbol()
  const { session_id } = await client.tool('start_db_session')
  await persist(symbol, flat(0, 20), session_id)
  await client.refused('persist_price_bars', { symbol, timeframe: '9m', bars: [0], session_id })
  await client.tool('execute_transaction', {
    session_id,
    operations: [
      { tool: 'persist_price_bars', params: { symbol, timeframe: '1m', bars: flat(20, 22) } },
    ],
  })
  expect(await averages(symbol)).toEqual(expected(Array(22).fill(10_500_000n)))
})
