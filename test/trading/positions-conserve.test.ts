import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  applyFill,
  averageEntry,
  type Figures,
  type Fill,
} from '../../src/domains/trading/position.js'
import { type Decimal, decimal } from '../../src/lib/decimal.js'
import { startApp } from '../support/app.js'
import { fill, uniqueSymbol } from './support.js'

const ZERO = decimal(0)
const sum = (values: readonly Decimal[]) => values.reduce((total, value) => total.plus(value), ZERO)

/** A decimal of up to six decimals, from the least that is allowed upwards. */
const sixDecimals = (max: number) =>
  fc
    .oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: max * 1_000_000 }))
    .map((micros) => decimal(micros).div(1_000_000))

const fills: fc.Arbitrary<Fill[]> = fc.array(
  fc.record({
    side: fc.constantFrom('buy' as const, 'sell' as const),
    quantity: sixDecimals(1_000),
    price: sixDecimals(500),
    fees: fc
      .integer({ min: -500_000, max: 5_000_000 })
      .map((micros) => decimal(micros).div(1_000_000)),
  }),
  { minLength: 1, maxLength: 30 },
)

/** Applies fills in order; returns every position there ever was, the open one last. */
function run(all: readonly Fill[]) {
  const positions: Figures[] = []
  const steps = []
  let open: Figures | null = null
  for (const one of all) {
    for (const step of applyFill(open, one)) {
      if (step.effect === 'open' && open === null) positions.push(step.after)
      else positions[positions.length - 1] = step.after
      open = step.after.qty_open.eq(0) ? null : step.after
      steps.push(step)
    }
  }
  return { positions, steps, open }
}

test('any sequence of fills conserves quantity, cash and fees exactly', () => {
  fc.assert(
    fc.property(fills, (all) => {
      const { positions, steps, open } = run(all)
      const signed = ({ side, quantity }: Fill) => (side === 'buy' ? quantity : quantity.times(-1))
      const held = open === null ? ZERO : open.qty_open.times(open.direction === 'long' ? 1 : -1)
      expect(held.eq(sum(all.map(signed)))).toBe(true)
      // What was paid is what is still held at cost, and the rest was realised.
      const paid = sum(all.map((one) => signed(one).times(one.price)))
      const cost = open === null ? ZERO : open.entry_cost.times(open.direction === 'long' ? 1 : -1)
      const realized = sum(positions.map(({ realized_pnl }) => realized_pnl))
      expect(cost.minus(paid).eq(realized)).toBe(true)
      expect(sum(positions.map(({ fees }) => fees)).eq(sum(all.map(({ fees }) => fees)))).toBe(true)
      expect(
        sum(steps.map(({ quantity }) => quantity)).eq(sum(all.map(({ quantity }) => quantity))),
      ).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})

test('a position has a cost as long as it is open, and its average lies between its prices', () => {
  fc.assert(
    fc.property(fills, (all) => {
      const { open, positions } = run(all)
      for (const { qty_open, entry_cost } of positions) {
        expect(qty_open.gte(0) && entry_cost.gte(0)).toBe(true)
        expect(qty_open.eq(0)).toBe(entry_cost.eq(0))
      }
      if (open === null) return
      const prices = all.map(({ price }) => price.toNumber())
      const average = averageEntry(open).toNumber()
      expect(average).toBeGreaterThanOrEqual(Math.min(...prices) - 1e-6)
      expect(average).toBeLessThanOrEqual(Math.max(...prices) + 1e-6)
    }),
    { numRuns: 500 },
  )
})

const { client, database } = await startApp()

test('what the tools store adds up to the fills sent, one position open at a time', async () => {
  await fc.assert(
    fc.asyncProperty(fills, async (all) => {
      const symbol = uniqueSymbol()
      for (const [n, { side, quantity, price, fees }] of all.entries()) {
        await client.tool('persist_trade_execution', {
          ...fill({ symbol, side, quantity: quantity.toFixed(), fees: fees.toFixed() }),
          execution_id: `x-${symbol}-${n}`,
          execution_details: {
            order_type: 'market',
            fill_price: price.toFixed(),
            fill_time: '2024-08-12T14:00:00Z',
          },
        })
      }
      const { positions, open } = run(all)
      const [row] = await database.query(
        `select
           count(*)::int as n,
           count(*) filter (where p.status = 'open')::int as open,
           coalesce(sum(p.qty_open), 0)::text as qty_open,
           sum(p.realized_pnl)::text as realized,
           sum(p.fees)::text as fees,
           (select sum(f.realized_pnl)::text from catalyst.position_fills f
            join catalyst.positions q using (position_id)
            where q.security_id = s.security_id) as by_fills
         from catalyst.positions p
         join catalyst.securities s on s.security_id = p.security_id
         where s.symbol = $1
         group by s.security_id`,
        [symbol],
      )
      expect(row?.n).toBe(positions.length)
      expect(row?.open).toBe(open ? 1 : 0)
      expect(decimal(row?.qty_open).eq(open?.qty_open ?? 0)).toBe(true)
      const realized = sum(positions.map(({ realized_pnl }) => realized_pnl))
      expect(decimal(row?.realized).eq(realized)).toBe(true)
      expect(decimal(row?.by_fills).eq(realized)).toBe(true)
      expect(decimal(row?.fees).eq(sum(all.map(({ fees }) => fees)))).toBe(true)
    }),
    { numRuns: 12 },
  )
})
