import { part } from '../../kernel/part.js'
import { ReaderLogin } from '../../platform/postgres/reader/reader-login.js'
import { ReaderPool } from '../../platform/postgres/reader/reader-pool.js'
import { backups } from '../backups/index.js'
import * as queryResources from './query.resources.js'
import { QueryService } from './query.service.js'
import * as queryTools from './query.tools.js'
import { SchemaReader } from './schema.service.js'
import { ExploreService } from './service.js'
import * as tools from './tools.js'

/** SQL that only reads. */
export const query = part({
  name: 'query',
  tasks: 'ask anything of the data in SQL: counts, joins, statistics; tables and columns',
  tools: queryTools,
  resources: queryResources,
  start: ({ config, systems, database, onClose, the }) => {
    const { direct, reader } = systems
    const isTrusted = !config.DATABASE_URL
    const service = new QueryService({
      pool: new ReaderPool(new ReaderLogin({ direct, given: reader, isTrusted })),
      sideDatabases: the(backups).restores,
      allowed: config.policy.query.allow_functions,
      schema: new SchemaReader(database),
    })
    onClose(() => service.close())
    return service
  },
})

/** Resources for hosts that cannot read them by themselves. */
export const explore = part({
  name: 'explore',
  tools,
  start: ({ served }) =>
    new ExploreService({
      readResource: (uri, caller) => served().read(uri, caller),
      index: () => served().resourceIndex,
    }),
})
