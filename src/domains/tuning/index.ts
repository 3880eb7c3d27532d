import { part } from '../../kernel/part.js'
import { backups } from '../backups/index.js'
import { query } from '../explore/index.js'
import { TuningService } from './service.js'
import * as tools from './tools.js'

/** What makes queries faster. */
export const tuning = part({
  name: 'tuning',
  tasks: 'why a query is slow, which index would help, vacuum, reindex, statistics',
  tools,
  start: ({ systems, the }) =>
    new TuningService({
      direct: systems.direct,
      queries: the(query),
      databaseOf: (restoreId) => the(backups).restores.databaseOf(restoreId),
    }),
})
