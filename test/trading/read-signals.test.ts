import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { signal, uniqueAccount, uniqueSymbol } from './signals.js'

const { client, database } = await startApp()

const persist = (given: Record<string, unknown>) =>
  client.tool('persist_trading_signal', signal(given))
const read = (query: string) => client.resource(`signals?${query}`)
const idsOf = async (query: string): Promise<string[]> =>
  (await read(query)).items.map(({ signal_id }: { signal_id: string }) => signal_id)

const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)

test('a signal is read in a line of a page, and by its id with all that it rests on', async () => {
  const [symbol, { news_id }] = [
    uniqueSymbol(),
    await client.tool('persist_news_catalyst', article()),
  ]
  const sent = signal({ symbol, news_ids: [news_id], patterns: ['gap_up', 'bull_flag'] })
  const answer = await client.tool('persist_trading_signal', sent)
  const { signal_id, account_id, risk_parameters, status, reasons } = answer
  expect(account_id).toBe(sent.account_id)
  const { items, next_cursor } = await read(`symbol=${symbol.toLowerCase()}`)
  expect(next_cursor).toBeNull()
  const line = {
    signal_id,
    account_id,
    symbol,
    signal_type: 'BUY',
    intent: 'entry',
    confidence: 0.8,
    status,
    reasons,
    shares: risk_parameters.shares,
    entry_price: '50',
    stop_price: '47',
    target_1: '54.5',
    target_2: '56',
    created_at: INSTANT,
    expires_at: INSTANT,
  }
  expect(items).toEqual([line])
  expect(Date.parse(items[0].expires_at)).toBe(Date.parse(answer.expires_at))
  expect(await client.resource(`signals/${signal_id}`)).toEqual({
    ...line,
    reasons: [`waits for a fill of its account until ${items[0].expires_at}`],
    status_reason: null,
    filled_quantity: '0',
    fills: 0,
    catalyst_type: 'earnings',
    catalyst_score: 40,
    news_ids: [news_id],
    patterns: [
      { pattern_type: 'bull_flag', pattern_id: null },
      { pattern_type: 'gap_up', pattern_id: null },
    ],
    indicators: sent.technical_context.indicators,
    risk_parameters,
    market_state: expect.any(String),
    updated_at: INSTANT,
  })
  expect((await read(`account_id=${account_id}`)).items).toEqual([line])
})

test('a signal by its id tells why it has its status', async () => {
  const reasonsOf = async (signal_id: string) =>
    (await client.resource(`signals/${signal_id}`)).reasons
  const rejected = await persist({ confidence: 0.2 })
  expect(await reasonsOf(rejected.signal_id)).toEqual(rejected.reasons)
  const { signal_id } = await persist({})
  await client.tool('update_signal_status', { signal_id, status: 'cancelled', reason: 'no time' })
  expect(await reasonsOf(signal_id)).toEqual(['set by a client, whose words are in status_reason'])
  const late = await persist({})
  await database.query(
    `update catalyst.trading_signals
     set created_at = '2026-01-02T02:04:05Z', expires_at = '2026-01-02T03:04:05Z'
     where signal_id = $1`,
    [late.signal_id],
  )
  expect(await reasonsOf(late.signal_id)).toEqual(['not traded before 2026-01-02T03:04:05Z'])
  await expect(reasonsOf(`sig_${'0'.repeat(32)}`)).rejects.toThrow(/no signal/)
})

test('a page that was not asked for more is short enough for a model', async () => {
  const account_id = uniqueAccount()
  for (let i = 0; i < 20; i++) await persist({ account_id })
  const page = await read(`account_id=${account_id}`)
  expect(JSON.stringify(page).length).toBeLessThan(8_000)
  expect(page.next_cursor).not.toBeNull()
})

test('filters combine; a pending signal past its time is expired', async () => {
  const symbol = uniqueSymbol()
  const make = async (given: Record<string, unknown>) =>
    (await persist({ symbol, ...given })).signal_id as string
  const pending = await make({ confidence: 0.9 })
  const late = await make({ signal_type: 'SELL' })
  const rejected = await make({ confidence: 0.2 })
  const hold = await make({ signal_type: 'HOLD', confidence: 0.5 })
  await client.tool('update_signal_status', { signal_id: hold, status: 'expired' })
  await database.query(
    `update catalyst.trading_signals set created_at = created_at - interval '1 day',
       expires_at = now() - interval '1 ms' where signal_id = $1`,
    [late],
  )
  const of = async (query: string) => (await idsOf(`symbol=${symbol}&${query}`)).sort()
  expect(await of('status=pending')).toEqual([pending])
  expect(await of('status=expired')).toEqual([late, hold].sort())
  expect(await of('status=rejected')).toEqual([rejected])
  expect(await of('status=executed')).toEqual([])
  expect(await of('signal_type=SELL')).toEqual([late])
  expect(await of('min_confidence=0.5')).toEqual([pending, late, hold].sort())
  expect(await of('min_confidence=0.5&status=expired&signal_type=HOLD')).toEqual([hold])
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString()
  expect(await of(`until=${hourAgo}`)).toEqual([late])
  expect(await of(`since=${hourAgo}`)).toEqual([pending, rejected, hold].sort())
  const { items } = await read(`symbol=${symbol}&signal_type=SELL`)
  expect(items).toMatchObject([{ signal_id: late, status: 'expired' }])
})

test('pages are newest first and tell every signal once, of one instant too', async () => {
  const symbol = uniqueSymbol()
  for (let i = 0; i < 5; i++) await persist({ symbol })
  await database.query(
    `update catalyst.trading_signals s set created_at = '2026-01-02T03:04:05.678901Z'
     from catalyst.securities c where c.security_id = s.security_id and c.symbol = $1
       and signal_id in (select signal_id from catalyst.trading_signals order by signal_id limit 3)`,
    [symbol],
  )
  const whole = await read(`symbol=${symbol}`)
  const times = whole.items.map(({ created_at }: { created_at: string }) => created_at)
  expect(times).toEqual([...times].sort().reverse())
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await read(`symbol=${symbol}&limit=2${cursor && `&cursor=${cursor}`}`)
    seen.push(...page.items.map(({ signal_id }: { signal_id: string }) => signal_id))
    cursor = page.next_cursor
  }
  expect(seen).toEqual(whole.items.map(({ signal_id }: { signal_id: string }) => signal_id))
  expect(seen).toHaveLength(5)
})

test('without filters, through the tool for hosts, and of a symbol nobody knows', async () => {
  const { signal_id } = await persist({})
  expect((await client.resource('signals')).items[0].signal_id).toBe(signal_id)
  const { items } = await client.tool('read_resource', { uri: 'catalyst://signals?limit=1' })
  expect(items).toMatchObject([{ signal_id }])
  expect(await read('symbol=NOBODY')).toEqual({ items: [], next_cursor: null })
})

test.each([
  ['limit=501', /limit/],
  ['cursor=bm9wZQ', /cursor/],
  [`cursor=${Buffer.from('["x","y"]').toString('base64url')}`, /cursor/],
  ['status=done', /status/],
  ['min_confidence=85', /min_confidence.*did you mean 0.85/],
  ['min_confidence=x', /min_confidence/],
  ["symbol=A'", /symbol/],
  ['since=yesterday', /since/],
  ['account=x', /account/],
])('%s is refused by name', async (query, message) => {
  await expect(read(query)).rejects.toThrow(message)
})
