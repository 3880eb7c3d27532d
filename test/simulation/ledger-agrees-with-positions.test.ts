import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ledger, resultOf } from '../../scripts/simulate/ledger.mjs'
import {
  applyFill,
  type Figures,
  type Fill,
  netReturnBps,
  outcomeOf,
} from '../../src/domains/trading/position.js'
import { type Decimal, decimal } from '../../src/lib/decimal.js'
import { defaultPolicy } from '../../src/policy.js'

const micros = (max: number) => fc.integer({ min: 1, max }).map((n) => decimal(n).div(1_000_000))
const fillsOf = (quantity: fc.Arbitrary<Decimal>): fc.Arbitrary<Fill[]> =>
  fc.array(
    fc.record({
      side: fc.constantFrom('buy' as const, 'sell' as const),
      quantity,
      price: micros(500_000_000),
      fees: fc.integer({ min: -50, max: 500_000 }).map((n) => decimal(n).div(1_000_000)),
    }),
    { minLength: 1, maxLength: 25 },
  )
/** Small whole quantities make shares of fees that lie exactly between two millionths. */
const small = fc.integer({ min: 1, max: 14 }).map(decimal)
const fills = fc.oneof(fillsOf(small), fillsOf(micros(1_000_000_000)))

/** The closed positions that the product makes of fills. */
function positionsOf(all: readonly Fill[]): Figures[] {
  const closed: Figures[] = []
  let open: Figures | null = null
  for (const fill of all) {
    for (const { after } of applyFill(open, fill)) {
      open = after.qty_open.eq(0) ? null : after
      if (open === null) closed.push(after)
    }
  }
  return closed
}

test('two bookkeepings that share no code agree on every closed position', () => {
  fc.assert(
    fc.property(fills, (all) => {
      const ledger = new Ledger()
      for (const [n, { side, quantity, price, fees }] of all.entries()) {
        const fill_price = price.toFixed()
        const execution_details = {
          order_type: 'limit' as const,
          fill_price,
          fill_time: '2024-08-12T14:00:00.000Z',
        }
        const amounts = { quantity: quantity.toFixed(), fees: fees.toFixed() }
        const names = { execution_id: `x-${n}`, account_id: 'account', symbol: 'SYM' }
        ledger.apply('lane', { ...names, side, ...amounts, execution_details }, null)
      }
      const trades = ledger.trades().filter(({ isClosed }) => isClosed)
      const ours = positionsOf(all)
      expect(trades.map(({ direction }) => direction)).toEqual(ours.map((one) => one.direction))
      for (const [n, one] of ours.entries()) {
        const trade = trades[n]
        if (!trade) throw new Error('a trade is missing')
        const { net_return_bps, outcome } = resultOf(trade)
        expect(trade.quantity.toFixed()).toBe(one.qty_total.toFixed())
        expect(trade.fees.toFixed()).toBe(one.fees.toFixed())
        expect(trade.cash.toFixed()).toBe(one.realized_pnl.toFixed())
        expect(net_return_bps.toFixed()).toBe(netReturnBps(one).toFixed())
        expect(outcome).toBe(outcomeOf(netReturnBps(one), defaultPolicy().learning))
      }
    }),
    { numRuns: 1_000 },
  )
})
