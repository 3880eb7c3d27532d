import { z } from 'zod'
import { patternType } from '../../lib/pattern-type.js'
import { instant, nonEmptyText } from '../../lib/schemas.js'
import { TIMEFRAMES } from '../../lib/timeframes.js'
import { jobToolFor } from '../../mcp/define.js'
import type { SyncService } from './service.js'

const job = jobToolFor<SyncService>()

/** A run that was cut off is taken up by the next one, so any server may run it again. */
const facts = { effect: 'write', idempotent: true, openWorld: true, onRestart: 'resume' } as const

const outcomesInput = z.object({
  since: instant().optional().describe('Only positions closed since.'),
  batch_size: z.int().min(1).max(5_000).default(100).describe('Positions at once.'),
})

export const syncCatalystOutcomes = job({
  ...facts,
  name: 'sync_catalyst_outcomes',
  title: 'Learn from closed positions',
  description:
    'Gives the stories that each closed position cites an equal share of its result, once, and notes how prices moved an hour and a day after them. Run it after the close, then sync_source_metrics. Running it twice changes nothing more. catalyst://db/sync/status says what waits.',
  input: outcomesInput,
  output: z.object({
    trades_processed: z.int(),
    news_accuracy_updated: z.int().describe('Stories whose was_accurate is another one now.'),
    source_metrics_updated: z.int(),
  }),
  run: ({ since = null, batch_size }, { service, ...call }) =>
    service.catalystOutcomes({ since, batch_size }, call),
  operate: ({ since = null, batch_size }, { service, ...call }) =>
    service.catalystOutcomes({ since, batch_size }, call),
})

const metricsInput = z.object({
  sources: z
    .array(nonEmptyText(200).describe('A name.'))
    .min(1)
    .max(1_000)
    .optional()
    .describe('Names or aliases.'),
  recalculate_all: z.boolean().default(false).describe('From all evidence.'),
})

const rate = z.number().nullable()

export const syncSourceMetrics = job({
  ...facts,
  name: 'sync_source_metrics',
  title: 'Compute the reliability of sources',
  description:
    'Computes the reliability (a Beta posterior with its 90 % interval) and accuracy rate of each source about which something was learned since the last run. Tiers never change. Then read catalyst://news/sources.',
  input: metricsInput,
  output: z.object({
    sources_updated: z.int(),
    accuracy_changes: z
      .record(
        z.string(),
        z.object({
          from: rate,
          to: rate,
          n_eff: z.number(),
          reliability: z.object({ from: z.number(), to: z.number() }),
        }),
      )
      .describe('By source: the accuracy rate before and now, null without any result.'),
  }),
  run: ({ sources = null, recalculate_all }, { service, ...call }) =>
    service.sourceMetrics({ sources, recalculate_all }, call),
  operate: ({ sources = null, recalculate_all }, { service, ...call }) =>
    service.sourceMetrics({ sources, recalculate_all }, call),
})

const patternsInput = z.object({
  pattern_types: z
    .array(patternType().describe('A name.'))
    .min(1)
    .max(100)
    .optional()
    .describe('All unless given.'),
  timeframe: z.enum(TIMEFRAMES).optional().describe('All unless given.'),
})

export const syncPatternOutcomes = job({
  ...facts,
  name: 'sync_pattern_outcomes',
  title: 'Tell what became of patterns',
  description:
    'Decides patterns from what is stored: by the first position opened on one within an hour, else by price (one ATR in its direction before one against it, within 24 bars). Fills and bars stored later decide again; an outcome told by hand stays. Needs persist_price_bars. Then read catalyst://patterns/statistics.',
  input: patternsInput,
  output: z.object({
    patterns_updated: z.int(),
    success_rate_changes: z
      .record(z.string(), z.object({ from: z.number(), to: z.number(), n: z.int() }))
      .describe(
        'By pattern type: its success rate before and now, 0.5 worth 10 outcomes at first.',
      ),
  }),
  run: (filter, { service, ...call }) => service.patternOutcomes(filter, call),
  operate: (filter, { service, ...call }) => service.patternOutcomes(filter, call),
})
