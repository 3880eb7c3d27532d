import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { fill, uniqueSymbol } from './support.js'

const { client, database } = await startApp()

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

test('a fill that comes after the signal has expired still executes it', async () => {
  const { signal_id, trade, status } = await signalOf('BUY')
  await database.query(
    `update catalyst.trading_signals
     set created_at = created_at - interval '1 day', expires_at = expires_at - interval '1 day'
     where signal_id = $1`,
    [signal_id],
  )
  expect(await status()).toBe('expired')
  expect((await trade('buy')).warnings).toEqual([expect.stringContaining('is expired')])
  expect(await status()).toBe('executed')
})

test('a signal of another symbol is refused', async () => {
  const { signal_id } = await signalOf('BUY')
  const error = await client.refused(
    'persist_trade_execution',
    fill({ symbol: uniqueSymbol(), signal_id }),
  )
  expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('symbol') })
})
