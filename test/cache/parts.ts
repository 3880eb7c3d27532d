import { afterAll, inject } from 'vitest'
import { CoherentCache } from '../../src/domains/cache/coherent-cache.js'
import { CacheService } from '../../src/domains/cache/service.js'
import { Ending } from '../../src/kernel/ending.js'
import { Loops } from '../../src/kernel/loops.js'
import { systemClock } from '../../src/lib/clock.js'
import type { CacheEngine, CacheStore } from '../../src/platform/cache/cache-store.js'
import { createLog } from '../../src/platform/log.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { databaseOutage } from '../../src/platform/postgres/outage.js'
import { workerConnection } from '../../src/platform/postgres/own-connection.js'
import { defaultPolicy } from '../../src/policy.js'

interface Options {
  readonly store: CacheStore
  readonly engine?: CacheEngine
  readonly url?: string
}

/** The parts of one server's cache, over a store of the test's own; closed after the test file. */
export function cacheParts({ store, engine = 'external', url = inject('postgresUrl') }: Options) {
  const endpoint = parseDatabaseUrl(url)
  const database = new Database({ endpoint, poolMax: 4 })
  const connection = workerConnection(endpoint, { name: 'test cache', timeoutMs: 1_000 })
  const { cache: policy } = defaultPolicy()
  const deps = {
    store,
    engine,
    connection,
    database,
    policy,
    clock: systemClock,
    loops: new Loops(databaseOutage(createLog('silent')), new Ending()),
    publish: () => {},
  }
  const coherent = new CoherentCache(deps)
  const service = new CacheService({ ...deps, coherent })
  afterAll(async () => {
    await coherent.stop()
    await Promise.all([database.close(), connection.close()])
  })
  return { coherent, service, database }
}
