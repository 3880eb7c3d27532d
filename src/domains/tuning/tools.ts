import { z } from 'zod'
import { nonEmptyText } from '../../lib/schemas.js'
import { jobToolFor } from '../../mcp/define.js'
import type { TuningService } from './service.js'

const job = jobToolFor<TuningService>()

const facts = {
  effect: 'write',
  idempotent: true,
  openWorld: false,
  onRestart: 'resume',
} as const

const Tables = z
  .array(nonEmptyText(130))
  .min(1)
  .max(200)
  .optional()
  .describe('As in catalyst.news_articles; without it all.')

const figures = z.object({ size_bytes: z.number(), dead_rows: z.number() })
const skipped = z.string().nullable().describe('Why nothing was done.')

export const optimizeTables = job({
  ...facts,
  name: 'optimize_tables',
  title: 'Clean and rebuild tables',
  description:
    'Vacuums, analyzes or reindexes tables while readers and writers go on, and tells size and dead rows of each before and after. A plain vacuum makes room for new rows and rarely gives space back; reindex (concurrently) does. A table that others hold locked is skipped and named. For statistics alone use update_statistics.',
  input: z.object({
    tables: Tables,
    operations: z
      .array(z.enum(['vacuum', 'analyze', 'reindex']))
      .min(1)
      .max(3),
  }),
  output: z.object({
    tables_optimized: z.int(),
    space_reclaimed: z.string(),
    duration_ms: z.number(),
    tables: z.array(
      z.object({
        name: z.string(),
        operation: z.string(),
        before: figures,
        after: figures,
        reclaimed_bytes: z.number(),
        reusable_bytes: z.number().nullable(),
        skipped,
      }),
    ),
  }),
  run: ({ tables, operations }, { service, ...caller }) =>
    service.optimize(tables ?? null, operations, caller),
})

export const updateStatistics = job({
  ...facts,
  name: 'update_statistics',
  title: 'Update the statistics of tables',
  description:
    'Has PostgreSQL sample tables anew, so that it plans queries by what is stored now: after large loads, or when analyze_query says that estimates are off. Changes no data and locks nobody out.',
  input: z.object({ tables: Tables }),
  output: z.object({
    updated: z.int(),
    duration_ms: z.number(),
    tables: z.array(z.object({ name: z.string(), skipped })),
  }),
  run: ({ tables }, { service, ...caller }) => service.updateStatistics(tables ?? null, caller),
})
