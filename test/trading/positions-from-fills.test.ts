import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { fill, uniqueSymbol } from './support.js'

const { client, connect, database } = await startApp()

/** Sends fills of one new symbol, one after the other. */
function trader() {
  const symbol = uniqueSymbol()
  let minute = 0
  const trade = (side: string, quantity: string, fill_price: string, more: object = {}) =>
    client.tool('persist_trade_execution', {
      ...fill({ symbol, side, quantity }, { fill_price, fill_time: at(minute++) }),
      ...more,
    })
  return { symbol, trade }
}

const at = (minute: number) => new Date(Date.UTC(2024, 7, 12, 14, minute)).toISOString()

test('a buy opens a long position, another one adds to it at the weighted average', async () => {
  const { trade } = trader()
  const first = await trade('buy', '100', '10')
  expect(first).toMatchObject({ position_updated: true, duplicate: false, is_late: false })
  expect(first.trade_id).toMatch(/^trd_[0-9a-f]{32}$/)
  const second = await trade('buy', '50', '13')
  expect(second.position).toEqual({
    position_id: first.position.position_id,
    direction: 'long',
    status: 'open',
    qty_open: '150',
    avg_entry_price: '11',
    realized_pnl: '0',
    fees: '0',
    net_pnl: '0',
  })
  expect(second).not.toHaveProperty('closed_position')
})

test('a sell realises its part, and the last one closes the position with its outcome', async () => {
  const { trade } = trader()
  await trade('buy', '100', '10', { fees: '1.00' })
  const part = await trade('sell', '40', '11', { fees: 0.5 })
  expect(part.position).toMatchObject({ qty_open: '60', realized_pnl: '40', avg_entry_price: '10' })
  const last = await trade('sell', '60', '9', { fees: '0.5' })
  expect(last.closed_position).toMatchObject({
    status: 'closed',
    qty_open: '0',
    avg_entry_price: '10',
    realized_pnl: '-20',
    fees: '2',
    outcome: 'loss',
    net_return_bps: '-220',
  })
  expect(last.position.position_id).toBe(last.closed_position.position_id)
})

test('a sell opens a short position, which earns when the price falls', async () => {
  const { trade } = trader()
  const opened = await trade('sell', '10', '20')
  expect(opened.position).toMatchObject({ direction: 'short', qty_open: '10' })
  const closed = await trade('buy', '10', '19')
  expect(closed.closed_position).toMatchObject({ realized_pnl: '10', outcome: 'win' })
})

test('a fill beyond zero closes the position and opens the rest reversed, sharing its fees', async () => {
  const { symbol, trade } = trader()
  await trade('buy', '100', '10')
  const reversed = await trade('sell', '150', '12', { fees: '3' })
  expect(reversed.closed_position).toMatchObject({
    direction: 'long',
    realized_pnl: '200',
    fees: '2',
  })
  expect(reversed.position).toMatchObject({
    direction: 'short',
    status: 'open',
    qty_open: '50',
    avg_entry_price: '12',
    fees: '1',
  })
  const { items } = await client.resource(`positions?symbol=${symbol}`)
  expect(items.map((item: { status: string }) => item.status).sort()).toEqual(['closed', 'open'])
  const trades = await client.resource(`trades?symbol=${symbol}`)
  expect(trades.items[0].positions).toMatchObject([
    { effect: 'close', quantity: '100', realized_pnl: '200' },
    { effect: 'open', quantity: '50', realized_pnl: '0' },
  ])
})

test.each([
  ['10.025', 'win', '25'],
  ['10.0249', 'scratch', '24.9'],
  ['9.975', 'loss', '-25'],
  ['9.9751', 'scratch', '-24.9'],
])('an exit at %s after an entry at 10 is a %s of %s basis points', async (price, outcome, bps) => {
  const { trade } = trader()
  await trade('buy', '100', '10')
  const { closed_position } = await trade('sell', '100', price)
  expect(closed_position).toMatchObject({ outcome, net_return_bps: bps })
})

test('an entry in thirds loses no cash to the rounding of its average', async () => {
  const { trade } = trader()
  await trade('buy', '1', '10')
  await trade('buy', '2', '10.01')
  const parts = []
  for (const quantity of ['0.7', '1.1', '1.2']) parts.push(await trade('sell', quantity, '10'))
  expect(parts.at(-1).closed_position.realized_pnl).toBe('-0.02')
})

test('a fill earlier than one recorded before is flagged, applied, and moves the opening back', async () => {
  const { symbol, trade } = trader()
  await trade('buy', '10', '10')
  const late = await client.tool(
    'persist_trade_execution',
    fill({ symbol, quantity: '5' }, { fill_price: '10', fill_time: '2024-08-11T23:30:00-04:00' }),
  )
  expect(late).toMatchObject({ is_late: true, position: { qty_open: '15' } })
  expect(late.warnings).toEqual([expect.stringContaining('fill_time')])
  const { items } = await client.resource(`positions?symbol=${symbol}`)
  expect(items[0]).toMatchObject({
    opened_at: '2024-08-12T03:30:00Z',
    trading_date: '2024-08-11',
    entry_catalyst: 'earnings',
  })
})

test('each account has positions of its own in a symbol', async () => {
  const { symbol, trade } = trader()
  await trade('buy', '10', '10', { account_id: 'one' })
  const { position } = await trade('sell', '4', '10', { account_id: 'two' })
  expect(position).toMatchObject({ direction: 'short', qty_open: '4' })
  const { items } = await client.resource(`positions?symbol=${symbol}&account_id=one`)
  expect(items).toMatchObject([{ account_id: 'one', direction: 'long', qty_open: '10' }])
})

test('in a session the fill shows inside, and a rollback leaves nothing', async () => {
  const { symbol } = trader()
  const other = await connect('legacy')
  const { session_id } = await client.tool('start_db_session')
  const { results } = await client.tool('execute_transaction', {
    session_id,
    operations: [
      { tool: 'persist_trade_execution', params: fill({ symbol }) },
      { resource: `positions?symbol=${symbol}` },
    ],
    commit: false,
  })
  expect(results[1].items).toMatchObject([{ symbol, qty_open: '100' }])
  expect((await other.resource(`positions?symbol=${symbol}`)).items).toEqual([])
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  expect((await other.resource(`trades?symbol=${symbol}`)).items).toEqual([])
})

test('fills and what they did cannot be changed or deleted', async () => {
  const { trade } = trader()
  const { trade_id } = await trade('buy', '10', '10')
  for (const table of ['trade_executions', 'position_fills']) {
    for (const change of [
      `update catalyst.${table} set quantity = 1`,
      `delete from catalyst.${table}`,
    ]) {
      await expect(database.query(`${change} where trade_id = $1`, [trade_id])).rejects.toThrow(
        'append-only',
      )
    }
  }
})

test('lists are paged to the end without a repeat or a gap', async () => {
  const { symbol, trade } = trader()
  const sent: string[] = []
  for (let n = 0; n < 7; n++) sent.push((await trade('buy', '1', '10')).trade_id)
  const seen: string[] = []
  let cursor: string | null = ''
  do {
    const page: { items: { trade_id: string }[]; next_cursor: string | null } =
      await client.resource(`trades?symbol=${symbol}&limit=3${cursor ? `&cursor=${cursor}` : ''}`)
    seen.push(...page.items.map(({ trade_id }) => trade_id))
    cursor = page.next_cursor
  } while (cursor)
  expect(seen).toEqual(sent.reverse())
  expect((await client.resource(`trades?symbol=${symbol}&limit=7`)).next_cursor).toBeNull()
  await expect(client.resource('trades?cursor=bogus')).rejects.toThrow('cursor')
  await expect(client.resource('trades?limit=501')).rejects.toThrow('limit')
})
