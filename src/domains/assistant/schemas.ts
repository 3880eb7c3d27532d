import { z } from 'zod'
import { DECISIONS, MAINTENANCE_ACTIONS, OUTCOMES } from '../../lib/maintenance-actions.js'
import { identifier } from '../../lib/schemas.js'

/** The handle of a recommendation. */
export const recommendationId = () =>
  identifier(64).describe('rec_…, of a report or of assistant/recommendations.')

const at = z.string()
const json = z.looseObject({})

const CALL = {
  action: z.enum(MAINTENANCE_ACTIONS),
  object: z.string().describe('What it is about.'),
  tool: z.string(),
  arguments: json,
  reason: z.string(),
  evidence: json,
}

const RESULT = {
  why: z.string().describe('Why it was decided so.'),
  before: json.nullable().describe('The figure that it is judged by.'),
  after: json.nullable().describe('The same measured again, and what the tool answered.'),
  outcome: z
    .enum(OUTCOMES)
    .nullable()
    .describe('Null while it cannot be told, and for what only reads.'),
  recommendation_id: z.string().nullable(),
}

const VERDICT = z.enum(['healthy', 'degraded', 'unhealthy'])

/** A report of one round. */
export const REPORT = z.object({
  report_id: z.string(),
  at,
  dry_run: z.boolean(),
  verdict: VERDICT,
  summary: z.string().describe('Markdown, at most 60 lines.'),
  findings: z.array(
    z.object({
      check: z.string(),
      severity: z.enum(['critical', 'warning', 'info']),
      object: z.string().nullable(),
      title: z.string(),
      evidence: json,
      next_step: z.string().nullable(),
    }),
  ),
  actions: z.array(
    z.object({
      action_id: z.string().nullable(),
      ...CALL,
      decision: z
        .enum(DECISIONS)
        .describe('would_do: in a dry run, or where the policy says observe.'),
      ...RESULT,
    }),
  ),
  backups: json.describe('As at db/backups/latest.'),
  sync: json.describe('As at db/sync/status.'),
  changes_since_last: z.array(z.string()),
  unknown: z
    .array(z.object({ what: z.string(), reason: z.string() }))
    .describe('What could not be looked at.'),
  disabled: z.array(z.enum(MAINTENANCE_ACTIONS)).describe('Actions that made things worse twice.'),
  next_run: z.string().nullable(),
})

/** The newest report, or that there is none. */
export const LATEST_REPORT = REPORT.partial().extend({
  report_id: z.string().nullable(),
  verdict: VERDICT.nullable(),
  summary: z.string(),
  next_run: z.string().nullable(),
})

/** A row of the list of reports. */
export const LISTED_REPORT = z.object({
  report_id: z.string(),
  at,
  verdict: VERDICT,
  dry_run: z.boolean(),
  actions: z.int().describe('How many.'),
  findings: z.int(),
})

/** A row of the ledger. */
export const LEDGER_ROW = z.object({
  action_id: z.string(),
  report_id: z.string().nullable(),
  at,
  ...CALL,
  decision: z.enum(['running', ...DECISIONS]),
  ...RESULT,
  finished_at: at.nullable(),
})

/** Where a recommendation stands. */
export const STATUS = z.enum(['open', 'approved', 'denied', 'expired', 'superseded'])

/** A recommendation. */
export const RECOMMENDATION = z.object({
  recommendation_id: z.string(),
  ...CALL,
  created_at: at,
  expires_at: at,
  status: STATUS,
  decided_at: at.nullable(),
  decided_by: z.string().nullable(),
  decided_reason: z.string().nullable(),
  result: json.nullable().describe('What the tool answered.'),
})
