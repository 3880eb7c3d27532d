import { part } from '../../kernel/part.js'
import { workerConnection } from '../../platform/postgres/own-connection.js'
import { CacheChecks } from './checks.js'
import { CoherentCache } from './coherent-cache.js'
import * as resources from './resources.js'
import { CacheService } from './service.js'
import * as tools from './tools.js'

/** Readers wait so long at most to hear what is outdated; then they read the database. */
const SIGHT_TIMEOUT_MS = 1_000

/** What is served from Redis, and how it stays as current as PostgreSQL. */
export const cache = part({
  name: 'cache',
  tasks: 'warm, invalidate and inspect the Redis cache, hit rates and memory',
  tools,
  resources,
  start: ({ config, systems, database, clock, loops, eventLog, commits, ...kernel }) => {
    const { store, engine } = systems.cache
    const { cache: policy } = config.policy
    const connection = workerConnection(systems.direct, {
      name: 'catalyst-db cache',
      timeoutMs: SIGHT_TIMEOUT_MS,
    })
    kernel.onClose(() => connection.close())
    const coherent = new CoherentCache({
      store,
      engine,
      connection,
      database,
      clock,
      policy,
      loops,
    })
    kernel.onClose(() => coherent.stop())
    eventLog.subscribe((published) => coherent.eventsPublished(published))
    commits.onCommit(({ touched }) => coherent.committed(touched))
    const checks = new CacheChecks({
      store,
      policy: config.policy,
      isFull: () => coherent.isFull,
    })
    for (const check of checks.all) kernel.check(check)
    const publish = () => eventLog.poke()
    return new CacheService({ store, engine, coherent, database, clock, policy, publish, checks })
  },
})
