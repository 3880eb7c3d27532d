import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { fill, uniqueSymbol } from './support.js'

const { client, database } = await startApp()

const DETAILS = { order_type: 'limit', fill_price: '50' }

/** A signal of a new symbol. */
async function signalOf(signal_type: string, confidence = 0.8) {
  const symbol = uniqueSymbol()
  const { signal_id } = await client.tool('persist_trading_signal', {
    symbol,
    signal_type,
    confidence,
    account_id: symbol,
    catalyst_context: { news_ids: [] },
    technical_context: { patterns: [], indicators: { price: 50, atr: 1.5, equity: 100_000 } },
  })
  const trade = (side: string, more: object = {}) =>
    client.tool('persist_trade_execution', {
      ...fill({ symbol, side, signal_id, account_id: symbol }),
      ...more,
    })
  const status = async () => {
    const { items } = await client.resource(`signals?symbol=${symbol}`)
    return items[0].status
  }
  return { symbol, signal_id, trade, status }
}

test('the first fill on its side executes a pending signal, and the position names it', async () => {
  const { symbol, signal_id, trade, status } = await signalOf('BUY')
  expect((await trade('buy')).warnings).toEqual([])
  expect(await status()).toBe('executed')
  const { items } = await client.resource(`positions?symbol=${symbol}`)
  expect(items).toMatchObject([{ opening_signal_id: signal_id }])
})

test('an exit may name the signal of its entry without a warning', async () => {
  const { trade } = await signalOf('SELL')
  await trade('sell')
  const { closed_position, warnings } = await trade('buy')
  expect(closed_position).toMatchObject({ direction: 'short' })
  expect(warnings).toEqual([])
})

test('a fill that opens against its signal is stored with a warning, and executes nothing', async () => {
  const { trade, status } = await signalOf('BUY')
  const { position, warnings } = await trade('sell')
  expect(position).toMatchObject({ direction: 'short' })
  expect(warnings).toEqual([expect.stringContaining('says BUY')])
  expect(await status()).toBe('pending')
})

test('a fill on a rejected signal is a fact all the same', async () => {
  const { trade, status } = await signalOf('BUY', 0.2)
  const { position_updated, warnings } = await trade('buy')
  expect(position_updated).toBe(true)
  expect(warnings).toEqual([expect.stringContaining('is rejected')])
  expect(await status()).toBe('rejected')
})

/** Makes a signal an hour and a day older, so that it expired a day ago. */
async function age(signal_id: string): Promise<Date> {
  const [row] = await database.query<{ expires_at: string }>(
    `update catalyst.trading_signals
     set created_at = created_at - interval '1 day', expires_at = expires_at - interval '1 day'
     where signal_id = $1
     returning expires_at`,
    [signal_id],
  )
  return new Date(row?.expires_at ?? '')
}

test('a fill of before the signal expired executes it, however late it is reported', async () => {
  const { signal_id, trade, status } = await signalOf('BUY')
  const expired = await age(signal_id)
  expect(await status()).toBe('expired')
  const fill_time = new Date(expired.getTime() - 1).toISOString()
  const { warnings } = await trade('buy', { execution_details: { ...DETAILS, fill_time } })
  expect(warnings).toEqual([])
  expect(await status()).toBe('executed')
})

test('a fill of after the signal had expired is a fact, and leaves it expired', async () => {
  const { signal_id, trade, status } = await signalOf('BUY')
  const fill_time = (await age(signal_id)).toISOString()
  const answer = await trade('buy', { execution_details: { ...DETAILS, fill_time } })
  expect(answer.position).toMatchObject({ qty_open: '100' })
  expect(answer.warnings).toEqual([expect.stringContaining('had expired at fill_time')])
  expect(await status()).toBe('expired')
})

test('a fill of another account is stored with a warning and leaves the signal', async () => {
  const { signal_id, trade, status } = await signalOf('BUY')
  const answer = await trade('buy', { account_id: uniqueSymbol() })
  expect(answer).toMatchObject({ position_updated: true, position: { qty_open: '100' } })
  expect(answer.warnings).toEqual([expect.stringContaining('another account')])
  expect(await status()).toBe('pending')
  expect(await client.resource(`signals/${signal_id}`)).toMatchObject({
    status: 'pending',
    filled_quantity: '0',
    fills: 0,
  })
})

test('fills beyond the size of their signal are facts with a warning', async () => {
  const { signal_id, trade } = await signalOf('BUY')
  const { shares } = await client.resource(`signals/${signal_id}`)
  const rest = String(Number(shares) - 100)
  expect((await trade('buy')).warnings).toEqual([])
  expect((await trade('buy', { quantity: rest })).warnings).toEqual([])
  const { warnings, position } = await trade('buy', { quantity: '0.000001' })
  expect(warnings).toEqual([
    `signal_id: its fills add up to ${shares}.000001 shares, more than its ${shares}`,
  ])
  expect(position.qty_open).toBe(`${shares}.000001`)
  expect((await trade('sell')).warnings).toEqual([])
  expect(await client.resource(`signals/${signal_id}`)).toMatchObject({
    status: 'executed',
    filled_quantity: `${shares}.000001`,
    fills: 3,
    reasons: [`executed by 3 fills of its account: ${shares}.000001 of ${shares} shares`],
  })
})

test('a signal of another symbol is refused', async () => {
  const { signal_id } = await signalOf('BUY')
  const error = await client.refused(
    'persist_trade_execution',
    fill({ symbol: uniqueSymbol(), signal_id }),
  )
  expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('symbol') })
})
