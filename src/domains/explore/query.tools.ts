import { z } from 'zod'
import { nonEmptyText } from '../../lib/schemas.js'
import { toolFor } from '../../mcp/define.js'
import { ExactRows, Params, RestoreId } from './query.schemas.js'
import type { QueryService } from './query.service.js'

const tool = toolFor<QueryService>()

export const queryDatabase = tool({
  name: 'query_database',
  title: 'Query the database',
  description:
    'Answers one read-only SELECT (or EXPLAIN of one) on PostgreSQL, with exact values: counts, joins, aggregates, windows over any table. Read db/schema first. What could do more than read is refused.',
  effect: 'read',
  idempotent: true,
  openWorld: true,
  alwaysLoad: true,
  input: z.object({
    sql: nonEmptyText(100_000).describe('One statement.'),
    params: Params,
    limit: z.int().min(1).max(5_000).default(200).describe('Most rows.'),
    restore_id: RestoreId,
  }),
  output: z.object({
    columns: z.array(z.object({ name: z.string(), type: z.string() })),
    rows: ExactRows,
    row_count: z.int(),
    truncated: z.boolean().describe('Has more.'),
    duration_ms: z.number(),
    warning: z.string().nullable(),
  }),
  run: ({ sql, params, limit, restore_id }, { service, ...caller }) =>
    service.query({ sql, params: params ?? [], limit, restoreId: restore_id ?? null }, caller),
})
