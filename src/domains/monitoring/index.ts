import { part } from '../../kernel/part.js'
import { hasRoom } from '../../platform/postgres/room.js'
import { jobs } from '../jobs/index.js'
import { schema } from '../migrations/index.js'
import { DiskWatch } from './disk-watch.js'
import * as resources from './resources.js'
import { MonitoringService } from './service.js'

/** How everything is. */
export const monitoring = part({
  name: 'monitoring',
  tasks: 'health, connections, replication, latency, what is wrong and what to do next',
  resources,
  start: (kernel) => {
    const { config, systems, database, health, clock, commits, the } = kernel
    const { pooled, direct } = systems
    const disk = new DiskWatch({ ...kernel, hasRoom: () => hasRoom(direct) })
    commits.onFailure((error) => disk.failed(error))
    commits.onCommit(() => disk.wrote())
    return new MonitoringService({
      connection: health,
      pooled,
      direct,
      writing: () => disk.look(),
      postgresEngine: config.DATABASE_URL ? 'external' : 'embedded',
      cacheEngine: systems.cache.engine,
      cacheHealth: () => systems.cache.store.health(),
      pool: () => ({ ...database.stats, max: config.CATALYST_POOL_MAX }),
      schema: () => the(schema).state,
      queueTrouble: () => the(jobs).trouble,
      checks: kernel.checks,
      clock,
    })
  },
})
