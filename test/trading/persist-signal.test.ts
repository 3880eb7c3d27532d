import { expect, test } from 'vitest'
import { marketState } from '../../src/lib/market-clock.js'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { securityOf, signal, uniqueSymbol } from './signals.js'

const { client, database } = await startApp()

const persist = (given: Record<string, unknown> = {}) =>
  client.tool('persist_trading_signal', signal(given))
const story = async (): Promise<string> =>
  (await client.tool('persist_news_catalyst', article())).news_id

test('a signal is stored with its evidence and answers its risk', async () => {
  const news_id = await story()
  const before = Date.now()
  const sent = signal({
    news_ids: [news_id, news_id],
    patterns: ['Bull Flag', ' bull-flag ', 'gap_up'],
  })
  const answer = await client.tool('persist_trading_signal', sent)
  const preMarket = marketState(before) === 'pre-market'
  expect(answer).toMatchObject({ status: 'pending', reasons: [], warnings: [] })
  expect(answer.signal_id).toMatch(/^sig_[0-9a-f]{32}$/)
  expect(answer.risk_parameters).toMatchObject({
    intent: 'entry',
    size_tier: 'full',
    max_position_pct: preMarket ? 10 : 20,
    shares: preMarket ? '200' : '400',
    shares_by_risk: '533',
    entry_price: '50',
    stop_price: '47',
    target_1: '54.5',
    target_2: '56',
    reward_risk: 1.5,
    atr: '1.5',
    atr_source: 'client',
    equity: '100000',
    missing: [],
  })
  expect(answer.risk_parameters.checks.map((check: { passed: unknown }) => check.passed)).toEqual(
    Array(9).fill(true),
  )
  const lifetime = Date.parse(answer.expires_at) - before
  expect(lifetime).toBeGreaterThanOrEqual(3_600_000)
  expect(lifetime).toBeLessThan(3_660_000)
  const [row] = await database.query(
    `select s.*, c.symbol from catalyst.trading_signals s join catalyst.securities c using (security_id)
     where signal_id = $1`,
    [answer.signal_id],
  )
  expect(row).toMatchObject({
    symbol: sent.symbol,
    confidence: '0.8000',
    catalyst_type: 'earnings',
    catalyst_score: '40.000',
    catalyst_context: { news_ids: [news_id], catalyst_type: 'earnings', catalyst_score: 40 },
    technical_context: {
      patterns: ['bull_flag', 'gap_up'],
      indicators: sent.technical_context.indicators,
    },
    entry_price: '50.000000',
    atr: '1.500000',
    stop_price: '47.000000',
    target_1: '54.500000',
    target_2: '56.000000',
    risk_parameters: answer.risk_parameters,
    expires_at: expect.stringContaining(answer.expires_at.slice(0, 19)),
  })
  const news = await database.query(
    'select news_id from catalyst.signal_news where signal_id = $1',
    [answer.signal_id],
  )
  expect(news).toEqual([{ news_id }])
})

test('indicators are stored exactly as they came', async () => {
  const indicators = {
    'we"ird \\ key': [1, 'two', null, { deep: [true, 0.1, 1e21, -1e-7, ''] }],
    __proto__x: 1,
    text: 'ünï ‮ 👩‍👩‍👧 \n\t $1',
    price: '12.340000',
  }
  const sent = JSON.parse(JSON.stringify(indicators).replace('__proto__x', '__proto__'))
  const { signal_id } = await persist({ indicators: sent })
  const [row] = await database.query(
    `select technical_context->'indicators' as indicators, entry_price::text
     from catalyst.trading_signals where signal_id = $1`,
    [signal_id],
  )
  expect(row).toEqual({ indicators: sent, entry_price: '12.340000' })
  expect(Object.keys(row?.indicators)).toContain('__proto__')
})

test.each([
  [{ entry_price: 10, entry: 11, price: 12 }, '10'],
  [{ close: 15, last_price: '14.5' }, '14.5'],
  [{ CLOSE: '15.25' }, '15.25'],
  [{ entry_price: null, close: 15 }, '15'],
])('the entry price in %j is %s', async (indicators, entry_price) => {
  const { risk_parameters } = await persist({ indicators })
  expect(risk_parameters).toMatchObject({ entry_price, missing: ['atr', 'equity'] })
})

test.each([
  [{ ATR_14: '0.5', account_equity: 1_000 }, '0.5', '1000'],
  [{ Atr14: 0.25, Equity: '12345678901234.123456' }, '0.25', '12345678901234.123456'],
])('ATR and equity in %j are %s and %s', async (indicators, atr, equity) => {
  const { risk_parameters } = await persist({ indicators })
  expect(risk_parameters).toMatchObject({ atr, equity, atr_source: 'client' })
  expect(risk_parameters).toMatchObject({ entry_price: null, stop_price: null, shares: null })
  expect(risk_parameters).toMatchObject({ missing: ['entry_price'] })
})

test('without ATR the stop is 2 %, and nothing is made up for what depends on it', async () => {
  const answer = await persist({ indicators: { price: 50, equity: 100_000 }, signal_type: 'SELL' })
  expect(answer.status).toBe('pending')
  expect(answer.risk_parameters).toMatchObject({
    stop_price: '51',
    target_1: null,
    target_2: null,
    reward_risk: null,
    shares: null,
    shares_by_risk: null,
    atr: null,
    atr_source: null,
    missing: ['atr'],
  })
})

test('without anything known there are nulls, names of what is missing, and unknown checks', async () => {
  const { status, risk_parameters } = await persist({ indicators: {} })
  expect(status).toBe('pending')
  expect(risk_parameters.missing).toEqual(['entry_price', 'atr', 'equity'])
  const unknown = risk_parameters.checks.filter(
    (check: { passed: unknown }) => check.passed === null,
  )
  expect(unknown.map(({ check }: { check: string }) => check)).toEqual([
    'price',
    'levels',
    'reward_risk',
    'size',
    'day_loss',
  ])
})

test('HOLD has neither size nor levels and is never rejected', async () => {
  const answer = await persist({ signal_type: 'HOLD', confidence: 0 })
  expect(answer).toMatchObject({ status: 'pending', reasons: [] })
  expect(answer.risk_parameters).toMatchObject({
    intent: 'none',
    size_tier: 'none',
    shares: null,
    entry_price: '50',
    stop_price: null,
    target_1: null,
    checks: [],
    missing: [],
  })
})

test('binary floats among the indicators count with six decimals, and are stored as they came', async () => {
  const indicators = { price: 0.1 + 49.2, atr_14: 1.2345678901234567, equity: 100_000.12345678912 }
  const { status, risk_parameters, signal_id } = await persist({ indicators })
  expect(status).toBe('pending')
  expect(risk_parameters).toMatchObject({
    entry_price: '49.3',
    atr: '1.234568',
    equity: '100000.123457',
  })
  expect((await client.resource(`signals/${signal_id}`)).indicators).toEqual(indicators)
})

test("a security's own tick is that of its levels", async () => {
  const symbol = uniqueSymbol()
  await securityOf(database, symbol)
  await database.query('update catalyst.securities set tick_size = 0.25 where symbol = $1', [
    symbol,
  ])
  const { risk_parameters } = await persist({ symbol, indicators: { price: 50, atr: 1.3 } })
  expect(risk_parameters).toMatchObject({ stop_price: '47.5', target_1: '53.75', target_2: '55' })
})

test("the stored ATR serves where none is given: of the signal's timeframe, else of days", async () => {
  const symbol = uniqueSymbol()
  const security = await securityOf(database, symbol)
  const store = async (timeframe: string, daysAgo: number, atr: string | null) => {
    const ts = new Date(Date.now() - daysAgo * 86_400_000).toISOString()
    await database.query(
      `select catalyst.ensure_month_partitions('technical_indicators', $1, $1)`,
      [ts],
    )
    await database.query(
      `insert into catalyst.technical_indicators (security_id, timeframe, ts, atr_14)
       values ($1, $2, $3, $4)`,
      [security, timeframe, ts, atr],
    )
  }
  const ask = async (given: Record<string, unknown> = {}, timeframe?: string) => {
    const sent = signal({ symbol, indicators: { price: 50, equity: 100_000, ...given } })
    return client.tool('persist_trading_signal', {
      ...sent,
      technical_context: { ...sent.technical_context, ...(timeframe ? { timeframe } : {}) },
    })
  }
  await store('1d', 30, '9')
  await store('1m', 0.0005, '0.125')
  await store('4h', 0.001, '0.5')
  await store('4h', 0.0001, null)
  expect((await ask()).risk_parameters).toMatchObject({
    atr: null,
    atr_source: null,
    missing: ['atr'],
  })
  for (const sent of [await ask({}, '4h'), await ask({ timeframe: '4h' })]) {
    expect(sent.risk_parameters).toMatchObject({
      atr: '0.5',
      atr_source: 'stored',
      atr_timeframe: '4h',
      missing: [],
    })
    expect(sent.warnings).toEqual([expect.stringMatching(/^atr: .*4h/)])
  }
  await store('1d', 1, '1.5')
  for (const given of [await ask(), await ask({}, '1w'), await ask({ timeframe: 'fast' })]) {
    expect(given.risk_parameters).toMatchObject({
      atr: '1.5',
      atr_timeframe: '1d',
      stop_price: '47',
      shares_by_risk: '533',
    })
  }
  expect((await ask({}, '4h')).risk_parameters.atr).toBe('0.5')
  expect((await ask({ atr: 2 })).risk_parameters).toMatchObject({
    atr: '2',
    atr_source: 'client',
    atr_timeframe: null,
  })
})

test('confidence is cut to four decimals and never rounded up, the score rounded to three', async () => {
  const { risk_parameters, signal_id } = await persist({
    confidence: 0.70009,
    catalyst_context: { news_ids: [], catalyst_score: 40.12351 },
  })
  expect(risk_parameters.size_tier).toBe('half')
  expect(await client.resource(`signals/${signal_id}`)).toMatchObject({
    confidence: 0.7,
    catalyst_score: 40.124,
  })
  const [row] = await database.query(
    'select catalyst_context from catalyst.trading_signals where signal_id = $1',
    [signal_id],
  )
  expect(row?.catalyst_context).toMatchObject({ catalyst_score: 40.124 })
})

test('patterns are registered, and linked to the newest detection of the last day', async () => {
  const [symbol, type] = [uniqueSymbol(), `pattern_${Date.now()}`]
  const security = await securityOf(database, symbol)
  const detect = async (of: number, hoursAgo: number) => {
    const at = new Date(Date.now() - hoursAgo * 3_600_000).toISOString()
    const [row] = await database.query<{ pattern_id: number }>(
      `insert into catalyst.pattern_detections
         (security_id, pattern_type, timeframe, direction, confidence, bar_time, detected_at,
          has_catalyst, alignment_score)
       values ($1, $2, '5m', 'bullish', 0.5, $3, $3, false, 0) returning pattern_id`,
      [of, type, at],
    )
    return row?.pattern_id
  }
  const linked = async () => {
    const { signal_id } = await persist({ symbol, patterns: [type.toUpperCase()] })
    const rows = await database.query(
      'select pattern_type, pattern_id from catalyst.signal_patterns where signal_id = $1',
      [signal_id],
    )
    expect(rows).toMatchObject([{ pattern_type: type }])
    return rows[0]?.pattern_id
  }
  expect(await linked()).toBeNull()
  await detect(security, 24.1)
  await detect(await securityOf(database, uniqueSymbol()), 1)
  expect(await linked()).toBeNull()
  const newest = await detect(security, 2)
  await detect(security, 3)
  expect(await linked()).toBe(newest)
})

test('a story that does not exist is told by its index, and nothing is stored', async () => {
  const [known, symbol, type] = [await story(), uniqueSymbol(), `unseen_${Date.now()}`]
  const error = await client.refused(
    'persist_trading_signal',
    signal({ symbol, patterns: [type], news_ids: [known, "x';drop/**/table", known] }),
  )
  expect(error).toMatchObject({
    code: 'not_found',
    message: 'catalyst_context.news_ids[1]: there is no such story.',
    hint: expect.stringContaining('news_id'),
  })
  const rows = await database.query(
    `select symbol from catalyst.securities where symbol = $1
     union all select pattern_type from catalyst.pattern_types where pattern_type = $2`,
    [symbol, type],
  )
  expect(rows).toEqual([])
})

test('a hundred stories are evidence, one more is refused', async () => {
  const ids = await Promise.all(Array.from({ length: 4 }, story))
  const many = Array.from({ length: 100 }, (_, i) => ids[i % 4])
  const { signal_id } = await persist({ news_ids: many })
  const rows = await database.query(
    'select news_id from catalyst.signal_news where signal_id = $1',
    [signal_id],
  )
  expect(rows).toHaveLength(4)
  const refused = await client.refused(
    'persist_trading_signal',
    signal({ news_ids: [...many, ids[0]] }),
  )
  expect(refused).toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('news_ids'),
  })
})

test('stories and patterns that a signal rests on cannot be deleted', async () => {
  const news_id = await story()
  await persist({ news_ids: [news_id], patterns: ['doji'] })
  await database.query('alter table catalyst.news_articles disable trigger news_articles_immutable')
  await expect(
    database.query('delete from catalyst.news_articles where news_id = $1', [news_id]),
  ).rejects.toThrow('signal_news')
  await database.query('alter table catalyst.news_articles enable trigger news_articles_immutable')
  await expect(
    database.query(`delete from catalyst.pattern_types where pattern_type = 'doji'`),
  ).rejects.toThrow('signal_patterns')
})

test('the same key gives the first answer again and stores nothing more', async () => {
  const call = { ...signal(), idempotency_key: 'signal-once' }
  const first = await client.tool('persist_trading_signal', call)
  expect(await client.tool('persist_trading_signal', call)).toEqual({ ...first, replayed: true })
  const rows = await database.query(
    `select 1 from catalyst.trading_signals join catalyst.securities using (security_id)
     where symbol = $1`,
    [call.symbol],
  )
  expect(rows).toHaveLength(1)
})
