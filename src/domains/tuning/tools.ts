import { z } from 'zod'
import { identifier, nonEmptyText } from '../../lib/schemas.js'
import { jobToolFor, toolFor } from '../../mcp/define.js'
import type { TuningService } from './service.js'

const job = jobToolFor<TuningService>()

const tool = toolFor<TuningService>()

const facts = {
  effect: 'write',
  grant: 'db:admin',
  idempotent: true,
  openWorld: false,
  onRestart: 'resume',
} as const

const Tables = z
  .array(nonEmptyText(130).describe('A table.'))
  .min(1)
  .max(200)
  .optional()
  .describe('Without it all.')

const figures = z.object({ size_bytes: z.number(), dead_rows: z.number() })
const skipped = z.string().nullable().describe('Why nothing was done.')

export const analyzeQuery = tool({
  name: 'analyze_query',
  title: 'Analyze a query',
  description:
    'Tells why a SELECT is slow and what would help: its plan, findings, and indexes for create_migration with cost before and after, or why none helps. $1 without params stands for any value. The live database is not changed.',
  effect: 'read',
  idempotent: true,
  openWorld: true,
  input: z.object({
    query: nonEmptyText(100_000).describe('One SELECT.'),
    params: z.array(z.unknown().describe('A value.')).max(100).optional().describe('Of $1, $2, ….'),
    analyze: z.boolean().default(false).describe('Run it.'),
    try_on: identifier(64).optional().describe('A restore_id: indexes are made there and timed.'),
  }),
  output: z.object({
    execution_plan: z.looseObject({}),
    suggestions: z.array(z.string()),
    estimated_improvement: z.string(),
    findings: z.array(
      z.object({ rule: z.string(), node: z.string(), evidence: z.string(), advice: z.string() }),
    ),
    indexes: z.array(
      z.object({
        create_sql: z.string(),
        drop_sql: z.string(),
        why: z.string(),
        replaces: z.array(z.string()),
        method: z.string(),
        cost_before: z.number(),
        cost_after: z.number(),
        ms_before: z.number().nullable(),
        ms_after: z.number().nullable(),
        size_bytes: z.number(),
        write_overhead: z.string(),
      }),
    ),
    statement_class: z.string(),
  }),
  run: ({ query, params, analyze, try_on }, { service, ...caller }) =>
    service.analyze(
      { sql: query, params: params ?? [], isRun: analyze, tryOn: try_on ?? null },
      caller,
    ),
})

export const optimizeTables = job({
  ...facts,
  name: 'optimize_tables',
  title: 'Optimize tables',
  description:
    'Vacuums, analyzes or reindexes tables while readers and writers go on; tells size and dead rows before and after. Vacuum rarely gives space back.',
  input: z.object({
    tables: Tables,
    operations: z
      .array(z.enum(['vacuum', 'analyze', 'reindex']).describe('What to do.'))
      .min(1)
      .max(3)
      .describe('In any order.'),
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
  title: 'Update statistics',
  description: 'Has PostgreSQL sample tables anew: after large loads, or when estimates are off.',
  input: z.object({ tables: Tables }),
  output: z.object({
    updated: z.int(),
    duration_ms: z.number(),
    tables: z.array(z.object({ name: z.string(), skipped })),
  }),
  run: ({ tables }, { service, ...caller }) => service.updateStatistics(tables ?? null, caller),
})
