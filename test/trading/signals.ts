import { randomBytes } from 'node:crypto'
import type { TestDatabase } from '../support/database.js'

type Values = Record<string, unknown>

/** Entry, ATR and equity of the vector: 533 shares by risk, 400 by size in regular hours. */
export const INDICATORS = { price: 50, atr: 1.5, equity: 100_000 }

/** A valid signal; each test says what matters to it. */
export const signal = ({
  indicators = INDICATORS,
  news_ids = [],
  patterns = [],
  ...rest
}: Values = {}) => ({
  symbol: uniqueSymbol(),
  signal_type: 'BUY',
  confidence: 0.8,
  catalyst_context: { news_ids, catalyst_type: 'earnings', catalyst_score: 40 },
  technical_context: { patterns, indicators },
  account_id: uniqueAccount(),
  ...rest,
})

const id = (prefix: string): string => `${prefix}_${randomBytes(16).toString('hex')}`

/** A symbol nobody else uses. */
export const uniqueSymbol = (): string => `S${randomBytes(4).toString('hex').toUpperCase()}`

/** An account nobody else uses. */
export const uniqueAccount = (): string => `acc-${randomBytes(4).toString('hex')}`

/** The id of a security, registered when it is new. */
export async function securityOf(database: TestDatabase, symbol: string): Promise<number> {
  await database.query(
    'insert into catalyst.securities (symbol) values ($1) on conflict do nothing',
    [symbol],
  )
  const [row] = await database.query<{ security_id: number }>(
    'select security_id from catalyst.securities where symbol = $1',
    [symbol],
  )
  return row?.security_id ?? 0
}

/** A fill with its position, stored past the product: open, or closed again with what it realised. */
export async function storePosition(
  database: TestDatabase,
  given: {
    account_id: string
    symbol: string
    direction?: 'long' | 'short'
    realized?: string
    fees?: string
    fillTime?: string
  },
): Promise<void> {
  const { account_id, symbol, direction = 'long', realized, fees = '0' } = given
  const fillTime = given.fillTime ?? new Date().toISOString()
  const security_id = await securityOf(database, symbol)
  const [trade_id, position_id] = [id('trd'), id('pos')]
  const isOpen = realized === undefined
  const [book] = await database.query<{ fills: number }>(
    `insert into catalyst.position_books (account_id, security_id, last_fill_time, fills)
     values ($1, $2, $3, 1)
     on conflict (account_id, security_id) do update set fills = position_books.fills + 1
     returning fills`,
    [account_id, security_id, fillTime],
  )
  await database.query(
    `insert into catalyst.trade_executions
       (trade_id, account_id, security_id, side, quantity, order_type, fill_price, fees, fill_time,
        applied_seq, answered)
     values ($1, $2, $3, $4, 10, 'market', 50, $5, $6, $7, '{}')`,
    [
      trade_id,
      account_id,
      security_id,
      direction === 'long' ? 'buy' : 'sell',
      fees,
      fillTime,
      book?.fills,
    ],
  )
  await database.query(
    `insert into catalyst.positions
       (position_id, account_id, security_id, direction, status, qty_open, entry_cost,
        entry_notional, qty_total, realized_pnl, fees, opened_at, closed_at, trading_date, outcome,
        net_return_bps)
     values ($1, $2, $3, $4, $5, $6, $7, 500, 10, $8, $9, $10, $11, ($10::timestamptz)::date, $12, $13)`,
    [
      position_id,
      account_id,
      security_id,
      direction,
      isOpen ? 'open' : 'closed',
      isOpen ? 10 : 0,
      isOpen ? 500 : 0,
      realized ?? 0,
      fees,
      fillTime,
      isOpen ? null : fillTime,
      isOpen ? null : 'scratch',
      isOpen ? null : 0,
    ],
  )
  await database.query(
    `insert into catalyst.position_fills
       (position_id, trade_id, effect, quantity, fees, realized_pnl)
     values ($1, $2, $3, 10, $4, $5)`,
    [position_id, trade_id, isOpen ? 'open' : 'close', fees, realized ?? 0],
  )
}
