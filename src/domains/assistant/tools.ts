import { z } from 'zod'
import { instant, text } from '../../lib/schemas.js'
import { jobToolFor, toolFor } from '../../mcp/define.js'
import { RECOMMENDATION, REPORT, recommendationId } from './schemas.js'
import type { AssistantService } from './service.js'

const tool = toolFor<AssistantService>()
const job = jobToolFor<AssistantService>()

export const runMaintenance = job({
  name: 'run_maintenance',
  title: 'Run the maintenance of the database',
  description:
    'The daily check of the database: health, slow queries, backups, bloat, sync, with a report of what was found and done. dry_run (default) only says what it would do; without it the policy decides what is done, proposed or skipped, and each effect is measured. Decide on proposals with decide_recommendation.',
  effect: 'write',
  grant: 'db:admin',
  idempotent: false,
  openWorld: true,
  onRestart: 'resume',
  lane: 'interactive',
  input: z.object({ dry_run: z.boolean().default(true).describe('False acts.') }),
  output: REPORT,
  run: (input, { service, ...call }) => service.run(input, call),
})

export const decideRecommendation = tool({
  name: 'decide_recommendation',
  title: 'Approve or deny a recommendation',
  description:
    'Decides on what the assistant has proposed (catalyst://assistant/recommendations). approve runs its tool with exactly the arguments shown, once it is confirmed; deny lets it rest for a day. Each can be decided once, until it expires or its reason is gone.',
  effect: 'destroy',
  idempotent: false,
  openWorld: true,
  input: z.object({
    recommendation_id: recommendationId(),
    decision: z.enum(['approve', 'deny']).describe('approve or deny.'),
    reason: text(500).optional().describe('For the record.'),
  }),
  output: z.object({
    recommendation_id: z.string(),
    status: RECOMMENDATION.shape.status,
    result: z
      .looseObject({})
      .nullable()
      .describe('What the tool answered: with status running, follow its job_id.'),
  }),
  confirm: (input, { service, ...call }) => service.questionBefore(input, call),
  run: (input, { service, ...call }) => service.decide(input, call),
})

export const cancelBackend = tool({
  name: 'cancel_backend',
  title: 'Cancel or end a database connection',
  description:
    'Cancels the statement of one connection of this database that blocks others, or with terminate ends it and rolls its transaction back. Take pid and connected_at from catalyst://db/performance/connections or db/locks. It is confirmed first.',
  effect: 'destroy',
  idempotent: true,
  openWorld: false,
  input: z.object({
    pid: z.int().min(1).max(2_147_483_647).describe('Its number.'),
    connected_at: instant().describe('Since when, so that it is no other one.'),
    terminate: z.boolean().default(false).describe('An idle transaction ends only so.'),
  }),
  output: z.object({ pid: z.int(), cancelled: z.boolean(), terminated: z.boolean() }),
  confirm: (input, { service }) => service.backends.question(input),
  run: (input, { service }) => service.backends.cancel(input),
})
