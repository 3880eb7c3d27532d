import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { fill, uniqueSymbol } from './support.js'

const { client, database } = await startApp()

/** Enters and leaves at these prices. */
async function roundTrip(entry: string, exit: string, quantity = '100') {
  const symbol = uniqueSymbol()
  await client.tool('persist_trade_execution', fill({ symbol, quantity }, { fill_price: entry }))
  const { closed_position } = await client.tool(
    'persist_trade_execution',
    fill({ symbol, side: 'sell', quantity }, { fill_price: exit }),
  )
  return closed_position
}

test('a return of two hundred times the entry overflows nothing', async () => {
  expect(await roundTrip('0.5', '100.5')).toMatchObject({
    realized_pnl: '10000',
    net_return_bps: '2000000',
    outcome: 'win',
  })
})

test('a return of less than a basis point is not rounded to nothing', async () => {
  expect(await roundTrip('1000', '1000.0037')).toMatchObject({
    realized_pnl: '0.37',
    net_return_bps: '0.037',
    outcome: 'scratch',
  })
})

test('the greatest quantity at the greatest price is exact to the last digit', async () => {
  const greatest = '999999999999.999999'
  const symbol = uniqueSymbol()
  const opening = fill({ symbol, quantity: greatest }, { fill_price: greatest })
  const { position } = await client.tool('persist_trade_execution', opening)
  expect(position).toMatchObject({ qty_open: greatest, avg_entry_price: greatest })
  const { closed_position } = await client.tool(
    'persist_trade_execution',
    fill({ symbol, side: 'sell', quantity: greatest }, { fill_price: '0.000001' }),
  )
  expect(closed_position.realized_pnl).toBe('-999999999999999997000000.000000000002')
})

test('a signal is an intention: it opens no position', async () => {
  const symbol = uniqueSymbol()
  const { status } = await client.tool('persist_trading_signal', {
    symbol,
    signal_type: 'BUY',
    confidence: 0.8,
    catalyst_context: { news_ids: [] },
    technical_context: { patterns: [], indicators: { price: 50, atr: 1.5, equity: 100_000 } },
  })
  expect(status).toBe('pending')
  expect((await client.resource(`positions?symbol=${symbol}`)).items).toEqual([])
})

test('the database itself refuses a second open position, and a closed one without an outcome', async () => {
  const symbol = uniqueSymbol()
  await client.tool('persist_trade_execution', fill({ symbol }))
  const copy = `
    insert into catalyst.positions (
      position_id, account_id, security_id, direction, qty_open, qty_total, entry_cost,
      entry_notional, opened_at, trading_date)
    select
      'pos_' || md5(p.position_id), p.account_id, p.security_id, p.direction, p.qty_open,
      p.qty_total, p.entry_cost, p.entry_notional, p.opened_at, p.trading_date
    from catalyst.positions p join catalyst.securities s using (security_id)
    where s.symbol = $1`
  await expect(database.query(copy, [symbol])).rejects.toThrow('positions_one_open')
  const close = `
    update catalyst.positions p
    set status = 'closed', qty_open = 0, entry_cost = 0, closed_at = opened_at
    from catalyst.securities s
    where s.security_id = p.security_id and s.symbol = $1`
  await expect(database.query(close, [symbol])).rejects.toThrow('check')
})

test.each(['trading_signals', 'news_articles'])(
  'what a fill cites of %s cannot be deleted',
  async (table) => {
    const [row] = await database.query(
      `select confdeltype as on_delete
     from pg_constraint
     where conrelid = 'catalyst.trade_executions'::regclass
       and confrelid = ('catalyst.' || $1)::regclass`,
      [table],
    )
    expect(['a', 'r']).toContain(row?.on_delete)
  },
)

test.each([
  ['persist_price_bars', { symbol: 'AAPL', timeframe: '5m', bars: [] }],
  ['persist_news_batch', { articles: [], deduplicate: true }],
  ['sync_source_metrics', { sources: [] }],
  ['sync_pattern_outcomes', { pattern_types: [] }],
])('%s reports no success for an empty list', async (tool, args) => {
  expect(await client.refused(tool, args)).toMatchObject({ code: 'invalid_input' })
})
