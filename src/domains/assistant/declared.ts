import { z } from 'zod'
import { declare, event } from '../../kernel/declare.js'
import {
  DECISIONS,
  MAINTENANCE_ACTIONS,
  type MaintenanceAction,
  OUTCOMES,
} from '../../lib/maintenance-actions.js'
import { share } from '../../lib/policy-schemas.js'

const MODES = ['observe', 'propose', 'auto'] as const
const WINDOWS = ['market_closed', 'always'] as const

/** How far the assistant may go with one kind of action. */
const action = (
  mode: (typeof MODES)[number],
  cooldownMinutes: number,
  window: (typeof WINDOWS)[number],
) =>
  z
    .strictObject({
      mode: z
        .enum(MODES)
        .default(mode)
        .describe('observe: only told; propose: waits for decide_recommendation; auto: done.'),
      cooldown_minutes: z
        .number()
        .min(0)
        .max(525_600)
        .default(cooldownMinutes)
        .describe('Rest before it is done to the same object again.'),
      window: z
        .enum(WINDOWS)
        .default(window)
        .describe('When it may be done unasked: market_closed or always.'),
    })
    .prefault({})

const ACTIONS: Readonly<Record<MaintenanceAction, ReturnType<typeof action>>> = {
  create_backup: action('auto', 60, 'always'),
  investigate_pool: action('auto', 10, 'always'),
  cancel_backend: action('propose', 5, 'always'),
  sync_outcomes: action('auto', 15, 'always'),
  vacuum_table: action('auto', 360, 'market_closed'),
  reindex_index: action('propose', 1_440, 'market_closed'),
  refresh_statistics: action('auto', 360, 'always'),
  analyze_slow_query: action('auto', 1_440, 'always'),
  warm_cache: action('propose', 60, 'always'),
}

/** What the assistant may do by itself, and how much of it. */
const ASSISTANT = z.strictObject({
  stop: z
    .boolean()
    .default(false)
    .describe('Emergency stop: nothing is done. At once and without a restart: maintain --stop.'),
  every_minutes: z
    .number()
    .min(0)
    .max(10_080)
    .default(60)
    .describe('Rest between two rounds; 0: only when asked, by run_maintenance.'),
  react_seconds: z
    .number()
    .min(0)
    .max(3_600)
    .default(60)
    .describe('A round follows so long after an event that tells of trouble; 0: none does.'),
  trial_days: z
    .number()
    .min(0)
    .max(365)
    .default(7)
    .describe('After its first round on a database the assistant only proposes for so long.'),
  expire_hours: z
    .number()
    .positive()
    .max(8_760)
    .default(72)
    .describe('How long a recommendation waits to be decided.'),
  load_share: share()
    .default(0.7)
    .describe('With more of the pool in use, nothing that costs the database much is begun.'),
  budget: z
    .strictObject({
      actions: z.int().min(0).max(100).default(5).describe('Actions of one round; 0 is none.'),
      minutes: z
        .number()
        .min(0)
        .max(1_440)
        .default(30)
        .describe('Minutes that the actions of one round may take; 0 is none.'),
      bytes: z
        .number()
        .min(0)
        .default(10 * 1_024 ** 3)
        .describe('Bytes of tables and backups that one round may go through; 0 is none.'),
    })
    .prefault({}),
  ...ACTIONS,
})

/** What the assistant declares. */
export const assistant = declare({
  policy: {
    assistant: ASSISTANT,
  },
  events: {
    'assistant.report': event(
      'info',
      'A round of maintenance has ended, and its report is there.',
      z.object({ report_id: z.string(), verdict: z.enum(['healthy', 'degraded', 'unhealthy']) }),
    ),
    'assistant.action': event(
      'info',
      'The assistant has done or proposed something, or knows by now what came of it.',
      z.object({
        action: z.enum(MAINTENANCE_ACTIONS),
        object: z.string(),
        decision: z.enum(DECISIONS),
        outcome: z.enum(OUTCOMES).nullable(),
      }),
    ),
  },
})
