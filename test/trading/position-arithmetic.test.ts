import fc from 'fast-check'
import { expect, test } from 'vitest'
import { averageEntry, type Fill } from '../../src/domains/trading/position.js'
import { fills, run, sum, ZERO } from './fills.js'

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
