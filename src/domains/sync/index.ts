import { part } from '../../kernel/part.js'
import { patterns } from '../trading/index.js'
import * as resources from './resources.js'
import { SyncService } from './service.js'
import * as tools from './tools.js'

/** What trades teach about stories, sources and patterns. */
export const sync = part({
  name: 'sync',
  tasks: 'learn what came of news, sources and patterns; how far behind that is (db/sync/status)',
  tools,
  resources,
  start: ({ config, database, clock, the }) =>
    new SyncService({
      database,
      clock,
      learning: config.policy.learning,
      patterns: the(patterns),
    }),
})
