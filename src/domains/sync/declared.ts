import { z } from 'zod'
import { declare, event } from '../../kernel/declare.js'
import { share } from '../../lib/policy-schemas.js'
import { refs } from '../../lib/refs.js'

/** How results are told, and what they say about sources and patterns. */
const LEARNING = z.strictObject({
  win_bps: z.number().positive().default(25).describe('A net return from here on is a win.'),
  loss_bps: z.number().negative().default(-25).describe('A net return down to here is a loss.'),
  source_prior_strength: z
    .number()
    .positive()
    .default(20)
    .describe('How many results the first opinion of a source counts for.'),
  source_prior_mean: share().default(0.5).describe('The first opinion of a source.'),
  source_interval: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.9)
    .describe('Probability of the interval around a reliability.'),
  source_rated_from: z
    .number()
    .positive()
    .default(10)
    .describe('Results from which on a source counts as rated.'),
  pattern_prior_strength: z
    .number()
    .positive()
    .default(10)
    .describe('How many results the less specific level counts for.'),
  pattern_link_minutes: z
    .number()
    .positive()
    .default(60)
    .describe('A position opened so soon after a detection tells its outcome.'),
  bars_wait_days: z
    .number()
    .min(0)
    .max(365)
    .default(3)
    .describe('Price bars that are missing so long after they were due are not waited for.'),
  pattern_bars: z
    .int()
    .min(1)
    .max(1_000)
    .default(24)
    .describe('Bars within which the price must move by one ATR to tell the outcome.'),
})

/** What learning declares. */
export const sync = declare({
  policy: {
    learning: LEARNING,
  },
  events: {
    'sync.completed': event(
      'info',
      'A sync drew its lessons from what had happened since the last one.',
      z.object({
        sync: z.enum(['catalyst_outcomes', 'source_metrics', 'pattern_outcomes']),
        /** Positions, sources or patterns whose figures changed. */
        changed: z.int(),
        /** The first thousand; the `db.transaction` events of the sync name all. */
        refs: refs(),
      }),
    ),
  },
})
