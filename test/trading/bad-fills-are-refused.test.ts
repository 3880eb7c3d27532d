import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { fill, uniqueSymbol } from './support.js'

const { client, database } = await startApp()
const stored = async () =>
  (await database.query('select count(*)::int as n from catalyst.trade_executions'))[0]?.n

const inFuture = new Date(Date.now() + 3_600_000).toISOString()
const NO_SUCH_NEWS = `nws_${'0'.repeat(32)}`

test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
  ['"long" as a side', { side: 'long' }, {}, 'side: must be "buy" or "sell"'],
  ['a quantity of 0', { quantity: 0 }, {}, 'quantity: must be greater than 0'],
  ['a negative quantity', { quantity: '-5' }, {}, 'quantity: must be greater than 0'],
  ['a quantity of 1e-9', { quantity: 1e-9 }, {}, 'quantity: must have at most 6 decimals'],
  ['a quantity that is no number', { quantity: 'NaN' }, {}, 'quantity: must be a decimal number'],
  ['a price with seven decimals', {}, { fill_price: '50.1234567' }, 'at most 6 decimals'],
  ['a binary float as a price', {}, { fill_price: 0.1 + 0.2 }, 'send it as text'],
  ['a price of 0', {}, { fill_price: '0' }, 'fill_price: must be greater than 0'],
  ['a fill in the future', {}, { fill_time: inFuture }, 'fill_time: lies in the future'],
  ['a time without a zone', {}, { fill_time: '2024-08-12T14:00:00' }, 'zone'],
  ['SQL in a symbol', { symbol: "A'; drop table x" }, {}, 'symbol: must be a ticker symbol'],
  ['an account with a NUL', { account_id: 'a\0b' }, {}, 'account_id'],
  ['an argument nobody knows', { leverage: 2 }, {}, 'unknown field "leverage"'],
])('%s is refused by name and nothing is stored', async (_, overrides, details, message) => {
  const before = await stored()
  const error = await client.refused('persist_trade_execution', fill(overrides, details))
  expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining(message) })
  expect(await stored()).toBe(before)
})

test.each([
  ['a signal', { signal_id: `sig_${'0'.repeat(32)}` }, 'signal_id'],
  ['a story', { catalyst_tracking: { entry_news_id: NO_SUCH_NEWS } }, 'entry_news_id'],
])('%s that does not exist is refused and nothing is stored', async (_, overrides, field) => {
  const before = await stored()
  const symbol = uniqueSymbol()
  const error = await client.refused('persist_trade_execution', fill({ symbol, ...overrides }))
  expect(error).toMatchObject({ code: 'not_found', message: expect.stringContaining(field) })
  expect(await stored()).toBe(before)
})

test('a fill with an execution id, sent again, is the same fill', async () => {
  const symbol = uniqueSymbol()
  const sent = fill({ symbol, execution_id: `x-${symbol}` })
  const first = await client.tool('persist_trade_execution', sent)
  const again = await client.tool('persist_trade_execution', { ...sent, quantity: 100.0 })
  expect(again).toEqual({
    ...first,
    position_updated: false,
    duplicate: true,
  })
})

test('a fill sent again is answered as it was first, whatever has become of its position', async () => {
  const symbol = uniqueSymbol()
  const send = (side: string, n: number, more = {}) =>
    client.tool('persist_trade_execution', fill({ symbol, side, execution_id: `x-${n}`, ...more }))
  const answers = [
    await send('buy', 1, { fees: '0.5' }),
    await send('sell', 2, { quantity: '40', fees: '1' }),
    await send('sell', 3, { quantity: '90' }),
    await send('buy', 4),
  ]
  expect(answers.map(({ position }) => [position.direction, position.qty_open])).toEqual([
    ['long', '100'],
    ['long', '60'],
    ['short', '30'],
    ['long', '70'],
  ])
  const again = [
    await send('buy', 1, { fees: '0.5' }),
    await send('sell', 2, { quantity: '40', fees: '1' }),
    await send('sell', 3, { quantity: '90' }),
    await send('buy', 4),
  ]
  expect(again).toEqual(
    answers.map((answer) => ({ ...answer, position_updated: false, duplicate: true })),
  )
})

test('the largest fills there can be are stored, not lost to an overflow', async () => {
  const symbol = uniqueSymbol()
  const most = { quantity: '999999999999.999999', fees: '99999999999999.999999' }
  const price = { fill_price: '999999999999.999999' }
  for (let i = 0; i < 3; i++) {
    await client.tool('persist_trade_execution', fill({ symbol, ...most }, price))
  }
  const { items } = await client.resource(`positions?symbol=${symbol}`)
  expect(items).toMatchObject([{ qty_open: '2999999999999.999997' }])
  const least = { symbol: uniqueSymbol(), quantity: '0.000001', fees: most.fees }
  await client.tool('persist_trade_execution', fill(least, { fill_price: '0.000001' }))
  const { closed_position } = await client.tool(
    'persist_trade_execution',
    fill({ ...least, side: 'sell' }, { fill_price: '0.000001' }),
  )
  expect(closed_position).toMatchObject({
    realized_pnl: '0',
    net_pnl: '-199999999999999.999998',
    net_return_bps: '-1999999999999999999980000000000',
  })
})

test.each([
  ['price', {}, { fill_price: '50.26' }],
  ['quantity', { quantity: '101' }, {}],
  ['side', { side: 'sell' }, {}],
  ['symbol', { symbol: uniqueSymbol() }, {}],
  ['fees', { fees: '0.01' }, {}],
  ['time', {}, { fill_time: '2024-08-12T14:00:01Z' }],
])('an execution id reused with another %s is a conflict', async (_, overrides, details) => {
  const symbol = uniqueSymbol()
  const execution_id = `x-${symbol}`
  await client.tool('persist_trade_execution', fill({ symbol, execution_id }))
  const other = fill({ symbol, execution_id, ...overrides }, details)
  expect(await client.refused('persist_trade_execution', other)).toMatchObject({
    code: 'conflict',
    hint: expect.stringContaining('Nothing was stored'),
  })
  const { items } = await client.resource(`positions?symbol=${symbol}`)
  expect(items).toMatchObject([{ qty_open: '100' }])
})

test('the same execution id in another account is another fill', async () => {
  const symbol = uniqueSymbol()
  const sent = fill({ symbol, execution_id: `x-${symbol}` })
  const one = await client.tool('persist_trade_execution', { ...sent, account_id: 'one' })
  const two = await client.tool('persist_trade_execution', { ...sent, account_id: 'two' })
  expect(two.duplicate).toBe(false)
  expect(two.trade_id).not.toBe(one.trade_id)
})

test('fills without an execution id are told apart by their idempotency key alone', async () => {
  const symbol = uniqueSymbol()
  const keyed = fill({ symbol, idempotency_key: `key-${symbol}` })
  const first = await client.tool('persist_trade_execution', keyed)
  expect(await client.tool('persist_trade_execution', keyed)).toEqual({ ...first, replayed: true })
  await client.tool('persist_trade_execution', fill({ symbol }))
  const { items } = await client.resource(`positions?symbol=${symbol}`)
  expect(items).toMatchObject([{ qty_open: '200' }])
})
