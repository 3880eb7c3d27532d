import fc from 'fast-check'
import { expect, test } from 'vitest'
import { wilsonInterval } from '../../src/lib/statistics.js'
import { shrunkRate, successRate, typeRate } from '../../src/lib/success-rate.js'

const NOTHING = { n: 0, wins: 0 }
const counts = fc.tuple(fc.nat(1_000), fc.nat(1_000)).map(([a, b]) => ({ n: a + b, wins: a }))
const strength = fc.double({ min: 0.001, max: 100, noNaN: true })

test.each([
  [0, 0, 0, 1],
  [5, 5, 0.5655, 1],
  [72, 100, 0.6251, 0.7986],
])('%i of %i lie between %d and %d', (wins, n, low, high) => {
  const interval = wilsonInterval(wins, n)
  expect(interval.low).toBeCloseTo(low, 4)
  expect(interval.high).toBeCloseTo(high, 4)
})

test('without any outcome the rate is one half, of nothing', () => {
  const levels = { type: NOTHING, type_catalyst: NOTHING, type_timeframe_catalyst: NOTHING }
  expect(successRate(levels, 10)).toEqual({
    rate: 0.5,
    level: 'none',
    sample_size: 0,
    interval: { low: 0, high: 1 },
  })
})

test('each level is drawn towards the one before it', () => {
  const levels = {
    type: { n: 100, wins: 72 },
    type_catalyst: { n: 20, wins: 5 },
    type_timeframe_catalyst: NOTHING,
  }
  const type = (72 + 5) / 110
  const alike = (5 + 10 * type) / 30
  const { rate, level, sample_size } = successRate(levels, 10)
  expect(rate).toBeCloseTo(alike, 12)
  expect({ level, sample_size }).toEqual({ level: 'type_catalyst', sample_size: 20 })
  expect(typeRate(levels.type, 10)).toBeCloseTo(type, 12)
})

test('a shrunk rate lies between what was seen and what its parent says, within 0 and 1', () => {
  fc.assert(
    fc.property(counts, fc.double({ min: 0, max: 1, noNaN: true }), strength, (seen, parent, s) => {
      const rate = shrunkRate(seen, parent, s)
      const own = seen.n === 0 ? parent : seen.wins / seen.n
      expect(rate).toBeGreaterThanOrEqual(Math.min(own, parent) - 1e-12)
      expect(rate).toBeLessThanOrEqual(Math.max(own, parent) + 1e-12)
      expect(rate).toBeGreaterThanOrEqual(0)
      expect(rate).toBeLessThanOrEqual(1)
    }),
  )
})

test('the interval holds the share that was seen, and more wins never lower the rate', () => {
  fc.assert(
    fc.property(counts, counts, strength, (kind, type, s) => {
      const of = (own: typeof kind) =>
        successRate({ type, type_catalyst: type, type_timeframe_catalyst: own }, s)
      const { rate, interval } = of(kind)
      if (kind.n === 0) return
      expect(interval.low).toBeLessThanOrEqual(kind.wins / kind.n + 1e-12)
      expect(interval.high).toBeGreaterThanOrEqual(kind.wins / kind.n - 1e-12)
      expect(of({ n: kind.n + 1, wins: kind.wins + 1 }).rate).toBeGreaterThanOrEqual(rate - 1e-12)
    }),
  )
})
