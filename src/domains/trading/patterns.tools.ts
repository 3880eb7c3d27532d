import { persistToolFor } from '../../mcp/define.js'
import {
  outcomeAnswer,
  patternAnswer,
  patternDetection,
  patternOutcome,
} from './patterns.schemas.js'
import type { PatternService } from './patterns.service.js'

const tool = persistToolFor<PatternService>()

/** One pattern, with how often its like came true. */
export const persistPatternDetection = tool({
  name: 'persist_pattern_detection',
  title: 'Persist a pattern detection',
  description:
    'Stores one chart pattern found in a security and answers how often its like came true, and out of how many (0 is no history yet). The same pattern in the same bar is a duplicate, the first one wins. Its outcome is pending until sync_pattern_outcomes or update_pattern_outcome tells it.',
  effect: 'write',
  idempotent: true,
  openWorld: false,
  input: patternDetection,
  output: patternAnswer,
  run: (detection, { service, tx }) => service.persistDetection(tx, detection),
})

/** What became of a pattern, told by hand. */
export const updatePatternOutcome = tool({
  name: 'update_pattern_outcome',
  title: 'Tell the outcome of a pattern',
  description:
    'Records by hand whether a detected pattern came true, where sync_pattern_outcomes cannot know or is wrong. It replaces the outcome known before, answered as previous: what is left out is then unknown. Then read patterns/statistics.',
  effect: 'write',
  idempotent: true,
  openWorld: false,
  input: patternOutcome,
  output: outcomeAnswer,
  run: (outcome, { service, tx }) => service.updateOutcome(tx, outcome),
})
