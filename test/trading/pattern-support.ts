import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { TestDatabase } from '../support/database.js'

/** A pattern type nobody else uses. */
export const uniqueType = (): string => `p_${randomBytes(5).toString('hex')}`

/** A valid detection; each test says what matters to it. */
export const detection = (overrides: Record<string, unknown> = {}) => ({
  symbol: `P${randomBytes(5).toString('hex').toUpperCase()}`,
  pattern_type: 'bull_flag',
  confidence: 0.8,
  catalyst_alignment: { has_catalyst: false, alignment_score: 0 },
  ...overrides,
})

/** A catalyst of this kind. */
export const catalyst = (catalyst_type?: string) => ({
  catalyst_alignment: { has_catalyst: true, catalyst_type, alignment_score: 0.5 },
})

/** What is counted must be what the outcomes say, and nothing may be left to count. */
export async function expectExactStats(database: TestDatabase): Promise<void> {
  const counted = await database.query(
    `select pattern_type, timeframe, catalyst, n, wins from catalyst.pattern_stats
     where n > 0 order by 1, 2, 3`,
  )
  const recounted = await database.query(
    `select d.pattern_type, d.timeframe, d.catalyst, count(*) as n,
       count(*) filter (where o.success) as wins
     from catalyst.pattern_outcomes o join catalyst.pattern_detections d using (pattern_id)
     where o.success is not null group by 1, 2, 3 order by 1, 2, 3`,
  )
  expect(counted).toEqual(recounted)
  const uncounted = await database.query(
    'select pattern_id from catalyst.pattern_outcomes where counted is distinct from success',
  )
  expect(uncounted).toEqual([])
}
