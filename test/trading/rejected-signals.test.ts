import { expect, test } from 'vitest'
import { newYorkDay, newYorkInstant } from '../../src/lib/market-clock.js'
import { startApp } from '../support/app.js'
import { INDICATORS, signal, storePosition, uniqueAccount, uniqueSymbol } from './signals.js'

const { client, database } = await startApp()

const persist = (given: Record<string, unknown> = {}) =>
  client.tool('persist_trading_signal', signal(given))

test('a signal that fails checks is stored as rejected, with the reasons', async () => {
  const answer = await persist({ confidence: 0.3, indicators: { ...INDICATORS, price: 600 } })
  expect(answer).toMatchObject({
    status: 'rejected',
    reasons: [
      'confidence: 0.3, must be above 0.3',
      'price: 600, must be 1 to 500',
      'size: 0 shares, must be at least 1',
    ],
  })
  const rows = await database.query(
    'select status, reasons, entry_price::text from catalyst.trading_signals where signal_id = $1',
    [answer.signal_id],
  )
  expect(rows).toEqual([{ status: 'rejected', reasons: answer.reasons, entry_price: '600.000000' }])
})

test('a stop that cannot be set is null, and the signal is rejected', async () => {
  const answer = await persist({ indicators: { price: 2, atr: 1, equity: 100_000 } })
  expect(answer.status).toBe('rejected')
  expect(answer.reasons).toEqual(['levels: stop_price: not a price on its side of the entry'])
  expect(answer.risk_parameters).toMatchObject({
    stop_price: null,
    target_1: '5',
    reward_risk: null,
  })
})

test('the greatest price there is rejects the signal instead of breaking the row', async () => {
  const indicators = {
    price: '999999999999.99',
    atr: '0.01',
    equity: '99999999999999.999999',
  }
  const answer = await persist({ indicators })
  expect(answer.status).toBe('rejected')
  expect(answer.risk_parameters).toMatchObject({
    target_1: null,
    stop_price: '999999999999.97',
  })
})

test('an open position of the symbol rejects more of it, and is left by the other side', async () => {
  for (const [direction, more, less] of [
    ['long', 'BUY', 'SELL'],
    ['short', 'SELL', 'BUY'],
  ] as const) {
    const [account_id, symbol] = [uniqueAccount(), uniqueSymbol()]
    await storePosition(database, { account_id, symbol, direction })
    const entry = await persist({ account_id, symbol, signal_type: more })
    expect(entry).toMatchObject({
      status: 'rejected',
      reasons: [`symbol_position: ${direction} open in the symbol, must be none`],
    })
    const exit = await persist({ account_id, symbol, signal_type: less, confidence: 0.1 })
    expect(exit).toMatchObject({ status: 'pending', reasons: [] })
    expect(exit.risk_parameters).toMatchObject({ intent: 'exit', stop_price: null, checks: [] })
    const other = await persist({ symbol, signal_type: less })
    expect(other.risk_parameters.intent).toBe('entry')
  }
})

test('five open positions of the account are enough; those of others do not count', async () => {
  const account_id = uniqueAccount()
  const open = () => storePosition(database, { account_id, symbol: uniqueSymbol() })
  for (let i = 0; i < 4; i++) await open()
  await storePosition(database, { account_id: uniqueAccount(), symbol: uniqueSymbol() })
  await storePosition(database, { account_id, symbol: uniqueSymbol(), realized: '1' })
  expect((await persist({ account_id })).status).toBe('pending')
  await open()
  expect((await persist({ account_id })).reasons).toEqual([
    'open_positions: 5 open and 1 pending, must be below 5',
  ])
})

test("what today's fills lost counts with their fees; yesterday's does not", async () => {
  const account_id = uniqueAccount()
  const close = (realized: string, fees: string, fillTime?: string) =>
    storePosition(database, {
      account_id,
      symbol: uniqueSymbol(),
      realized,
      fees,
      ...(fillTime ? { fillTime } : {}),
    })
  const midnight = newYorkInstant(newYorkDay(Date.now()), 0)
  await close('-50000', '10', new Date(midnight - 1).toISOString())
  await close('-4500', '0.5', new Date(midnight).toISOString())
  await close('500.75', '0.249999')
  expect((await persist({ account_id })).status).toBe('pending')
  await close('-0.000001', '0')
  expect((await persist({ account_id })).reasons).toEqual([
    'day_loss: 4000, must be below 4 % of equity: 4000',
  ])
  const unknown = await persist({ account_id, indicators: { price: 50, atr: 1.5 } })
  expect(unknown.status).toBe('pending')
  expect(unknown.risk_parameters.checks).toContainEqual({
    check: 'day_loss',
    passed: null,
    detail: '4000, must be below 4 % of equity, which is unknown',
  })
})

test('twenty trades are a day', async () => {
  const account_id = uniqueAccount()
  const trade = () => storePosition(database, { account_id, symbol: uniqueSymbol(), realized: '0' })
  await Promise.all(Array.from({ length: 19 }, trade))
  expect((await persist({ account_id })).status).toBe('pending')
  await trade()
  expect((await persist({ account_id })).reasons).toEqual([
    'trades_today: 20 trades and 1 pending, must be below 20',
  ])
})

test('a fill that closed one position and opened another is one fill', async () => {
  const [account_id, symbol] = [uniqueAccount(), uniqueSymbol()]
  await storePosition(database, { account_id, symbol, realized: '-1', fees: '2' })
  await database.query(
    `with opened as (
       insert into catalyst.positions
         (position_id, account_id, security_id, direction, qty_open, entry_cost, entry_notional,
          qty_total, fees, opened_at, trading_date)
       select 'pos_' || repeat('a', 32), account_id, security_id, 'short', 1, 50, 50, 1, 3, opened_at,
         trading_date
       from catalyst.positions where account_id = $1
     )
     insert into catalyst.position_fills (position_id, trade_id, effect, quantity, fees)
     select 'pos_' || repeat('a', 32), trade_id, 'open', 1, 3
     from catalyst.trade_executions where account_id = $1`,
    [account_id],
  )
  const { risk_parameters } = await persist({ account_id, symbol: uniqueSymbol() })
  const detailOf = (name: string) =>
    risk_parameters.checks.find(({ check }: { check: string }) => check === name).detail
  expect(detailOf('trades_today')).toMatch(/^1 trades/)
  expect(detailOf('day_loss')).toMatch(/^6, /)
})
