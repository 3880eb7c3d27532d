/** What the assistant can do, the most urgent first: where two would touch the same object, the first one does. */
export const MAINTENANCE_ACTIONS = [
  'create_backup',
  'investigate_pool',
  'cancel_backend',
  'sync_outcomes',
  'vacuum_table',
  'reindex_index',
  'refresh_statistics',
  'analyze_slow_query',
  'warm_cache',
] as const

/** One of them. */
export type MaintenanceAction = (typeof MAINTENANCE_ACTIONS)[number]

/** What became of one that was planned. */
export const DECISIONS = ['done', 'failed', 'proposed', 'skipped', 'would_do'] as const

/** Whether what was done has changed the figure it was done for. */
export const OUTCOMES = ['helped', 'no_effect', 'worse'] as const

/** One of the outcomes. */
export type MaintenanceOutcome = (typeof OUTCOMES)[number]

/** In whose name the assistant calls tools: nobody else does. */
export const ASSISTANT = 'assistant'
