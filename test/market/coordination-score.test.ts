import fc from 'fast-check'
import { expect, test } from 'vitest'
import { coordinationScore } from '../../src/domains/market/narrative.js'

test.each([
  [3, 10, 4, 67.5],
  [2, 1, 5, 0],
  [5, 0, 5, 100],
  [3, 60, 1, 20],
])(
  '%d sources within %d min of average tier %d give %d',
  (source_count, spread_minutes, avg_tier, score) => {
    expect(coordinationScore({ source_count, spread_minutes, avg_tier })).toBe(score)
  },
)

test('lies between 0 and 100 and rises with the number of sources', () => {
  const narrative = fc.record({
    source_count: fc.integer({ min: 1, max: 50 }),
    spread_minutes: fc.double({ min: 0, max: 10_000, noNaN: true }),
    avg_tier: fc.double({ min: 1, max: 5, noNaN: true }),
  })
  fc.assert(
    fc.property(narrative, (facts) => {
      const score = coordinationScore(facts)
      expect(score).toBeGreaterThanOrEqual(0)
      expect(score).toBeLessThanOrEqual(100)
      const more = coordinationScore({ ...facts, source_count: facts.source_count + 1 })
      expect(more).toBeGreaterThanOrEqual(score)
    }),
  )
})
