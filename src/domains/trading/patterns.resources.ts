import { z } from 'zod'
import { pageParameters } from '../../lib/page.js'
import { patternType } from '../../lib/pattern-type.js'
import { resourceFor } from '../../mcp/define.js'
import { detectionFilter, detectionPage, statisticsPage, timeframe } from './patterns.schemas.js'
import type { PatternService } from './patterns.service.js'

const resource = resourceFor<PatternService>()

/** Detections and what became of them. */
export const patterns = resource({
  path: 'patterns',
  title: 'Detected patterns',
  description:
    'Pattern detections, the newest detected first, each with its outcome: whether it came true, told by which position, by price or by hand, or why nobody can tell. Filter by symbol, pattern_type, timeframe, status or time.',
  input: detectionFilter,
  output: detectionPage,
  refreshedBy: ['db.transaction', 'sync.completed'],
  read: (filter, { service, tx }) => service.list(filter, tx),
})

/** How often patterns came true. */
export const patternStatistics = resource({
  path: 'patterns/statistics',
  title: 'Success of patterns',
  description:
    'How often patterns came true, by pattern type, timeframe and catalyst, in that order; only kinds with a known outcome are listed.',
  input: z.object({
    pattern_type: patternType().optional(),
    timeframe: timeframe.optional(),
    ...pageParameters(['text', 'text', 'text']),
  }),
  output: statisticsPage,
  refreshedBy: ['db.transaction', 'sync.completed'],
  read: (filter, { service, tx }) => service.statistics(tx, filter),
})
