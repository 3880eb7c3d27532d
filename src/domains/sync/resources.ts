import { z } from 'zod'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { nonEmptyText, storedSince } from '../../lib/schemas.js'
import { resourceFor } from '../../mcp/define.js'
import type { SyncService } from './service.js'

const resource = resourceFor<SyncService>()

const at = z.string().nullable()

export const syncStatus = resource({
  path: 'db/sync/status',
  title: 'What the syncs have still to do',
  description:
    'Closed positions nobody has learned from, sources with new evidence, patterns without an outcome, and when each sync last came to its end. has_pending: there is something to do now.',
  input: z.object({}),
  output: z.object({
    catalyst_outcomes: z.object({ pending_updates: z.int(), last_sync: at, watermark: at }),
    source_metrics: z.object({ pending_calculations: z.int(), last_update: at }),
    pattern_outcomes: z.object({
      pending_outcomes: z.int(),
      due_outcomes: z.int().describe('Old enough to be decided.'),
      last_sync: at,
    }),
    has_pending: z.boolean(),
  }),
  refreshedBy: ['sync.completed'],
  read: (_, { service, tx }) => service.status(tx),
})

export const newsSources = resource({
  path: 'news/sources',
  title: 'News sources and what they are worth',
  description:
    'Sources by name: tier, reliability with its interval, accuracy rate, number of results (n_eff; rated from 10 on), totals of stories, and how long before trusted sources their confirmed stories came. Without results a source has the prior, 0.5.',
  input: z.object({
    source: nonEmptyText(200).optional().describe('A name or alias.'),
    tier: z.coerce.number().int().min(1).max(5).optional(),
    stored_since: storedSince(),
    ...pageParameters(['text', 'int']),
  }),
  output: z.object({
    sources: z.array(
      z.object({
        source_name: z.string(),
        tier: z.int(),
        reliability: z.number(),
        ci_low: z.number(),
        ci_high: z.number(),
        n_eff: z.number(),
        accuracy_rate: z.number().nullable(),
        is_rated: z.boolean(),
        totals: z.object({
          articles: z.int(),
          duplicates: z.int(),
          confirmed: z.int(),
          w_win: z.number(),
          w_loss: z.number(),
        }),
        avg_lead_minutes: z.number().nullable(),
        as_of: at,
      }),
    ),
    next_cursor: NEXT_CURSOR,
  }),
  refreshedBy: ['sync.completed'],
  read: (query, { service, tx }) => service.listSources(query, tx),
})
