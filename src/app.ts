import { fileURLToPath } from 'node:url'
import { type Config, embeddedDir } from './config.js'
import { cache as cacheDomain } from './domains/cache/index.js'
import { CacheService } from './domains/cache/service.js'
import { events } from './domains/events/index.js'
import { EventService } from './domains/events/service.js'
import { explore } from './domains/explore/index.js'
import { ExploreService } from './domains/explore/service.js'
import { jobs as jobDomain } from './domains/jobs/index.js'
import { JobService } from './domains/jobs/service.js'
import { market } from './domains/market/index.js'
import { NewsService } from './domains/market/news.service.js'
import { SchemaKeeper } from './domains/migrations/schema-keeper.js'
import { MigrationService } from './domains/migrations/service.js'
import { monitoring } from './domains/monitoring/index.js'
import { type Engine, MonitoringService } from './domains/monitoring/service.js'
import { sessions as sessionDomain } from './domains/sessions/index.js'
import { SessionService } from './domains/sessions/service.js'
import { systemClock } from './lib/clock.js'
import { newId } from './lib/ids.js'
import { redactUrl } from './lib/secret.js'
import { VERSION } from './lib/version.js'
import { type BoundDomain, bind } from './mcp/define.js'
import { Dispatcher } from './mcp/dispatcher.js'
import { Notifications } from './mcp/notifications.js'
import { Registry } from './mcp/registry.js'
import type { Serving } from './mcp/server.js'
import type { CacheStore } from './platform/cache/cache-store.js'
import { MemoryCacheStore } from './platform/cache/memory.js'
import { RedisCacheStore } from './platform/cache/redis.js'
import { type EmbeddedServices, joinEmbedded } from './platform/embedded/services.js'
import type { Log } from './platform/log.js'
import { AuditTrail } from './platform/postgres/audit-trail.js'
import { type Endpoint, parseDatabaseUrl } from './platform/postgres/connection.js'
import { Database } from './platform/postgres/database.js'
import { DedicatedConnection } from './platform/postgres/dedicated.js'
import { EventLog } from './platform/postgres/event-log.js'
import { WorkerConnection } from './platform/postgres/worker-connection.js'

/** Everything that runs, constructed and connected. */
export interface App {
  readonly serving: Serving
  readonly schema: SchemaKeeper
  /** What runs where, one line each, without secrets. */
  readonly description: readonly { readonly part: string; readonly where: string }[]
  /** Hands long operations on and lets those go who wait for them; the first step of ending. */
  drain(): Promise<void>
  /** Lets running work finish, closes every connection, and leaves the embedded services. */
  close(): Promise<void>
}

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))
/** Health reads must be answered even when the database is not. */
const HEALTH_TIMEOUT_MS = 2_000
/** A heartbeat that takes longer is none. */
const LEASE_TIMEOUT_MS = 2_500
/** The queue's maintenance waits for locks up to 30 s. */
const QUEUE_TIMEOUT_MS = 40_000

/** The outside systems, connected as the settings say; nothing of the product yet. */
export interface Platform {
  readonly embedded: EmbeddedServices | null
  /** For short transactions; may lead through a pooler. */
  readonly pooled: Endpoint
  /** The database itself, for what holds state on its connection. */
  readonly direct: Endpoint
  readonly cache: { readonly store: CacheStore; readonly engine: Engine }
  close(): Promise<void>
}

/** Starts or joins the embedded services where no URL is given, and opens the cache. */
export async function openPlatform(config: Config, log: Log): Promise<Platform> {
  const embedded = await startEmbedded(config, log)
  const endpoints = endpointsOf(config, embedded)
  const cache = openCache(config, embedded, endpoints.pooled.database)
  return {
    embedded,
    ...endpoints,
    cache,
    close: async () => {
      await cache.store.close()
      await embedded?.release()
    },
  }
}

/** The composition root: the only place where things are constructed. */
export async function openApp(
  config: Config,
  log: Log,
  extraDomains: readonly BoundDomain[] = [],
): Promise<App> {
  const platform = await openPlatform(config, log)
  const { pooled, direct, cache } = platform
  const poolMax = config.CATALYST_POOL_MAX
  const database = new Database({ endpoint: pooled, poolMax })
  const health = new DedicatedConnection({ endpoint: direct, timeoutMs: HEALTH_TIMEOUT_MS })
  const migrations = new MigrationService({
    endpoint: direct,
    directories: [MIGRATIONS],
    appVersion: VERSION,
  })
  const schema = new SchemaKeeper({ migrations, log })
  const eventLog = new EventLog({ endpoint: direct, log })
  const serverId = newId('srv')
  const audit = new AuditTrail({ database, serverId, log })
  const maxPinned = Math.floor(poolMax / 2)
  const sessionPool =
    direct.label === pooled.label
      ? database
      : new Database({ endpoint: direct, poolMax: maxPinned })
  const sessions = new SessionService({
    database,
    direct: sessionPool,
    health,
    maxPinned,
    idleMs: config.CATALYST_SESSION_IDLE_SECONDS * 1_000,
    maxMs: config.CATALYST_SESSION_MAX_SECONDS * 1_000,
    serverId,
    clock: systemClock,
    log,
    audit,
    operationOf: (requested, caller) => registry.operation(requested, caller),
    committed: () => {
      eventLog.poke()
      audit.poke()
    },
    changed: () => notifications.resourceChanged('db/sessions/active'),
  })
  const leases = workerConnection(direct, LEASE_TIMEOUT_MS)
  const queue = workerConnection(direct, QUEUE_TIMEOUT_MS)
  const jobs = new JobService({
    database,
    connection: leases,
    queueConnection: queue,
    serverId,
    log,
    waitMs: config.CATALYST_JOB_WAIT_SECONDS * 1_000,
    runs: () => registry.jobRuns,
    committed: () => eventLog.poke(),
    changed: (jobId) => notifications.resourceChanged(`jobs/${jobId}`),
  })
  const monitor = new MonitoringService({
    connection: health,
    postgresEngine: config.DATABASE_URL ? 'external' : 'embedded',
    cacheEngine: cache.engine,
    cacheHealth: () => cache.store.health(),
    pool: () => ({ ...database.stats, max: poolMax }),
    schema: () => schema.state,
    clock: systemClock,
  })
  const registry: Registry = new Registry([
    bind(market, new NewsService({ clock: systemClock })),
    bind(cacheDomain, new CacheService(cache)),
    bind(monitoring, monitor),
    bind(sessionDomain, sessions),
    bind(jobDomain, jobs),
    bind(events, new EventService({ database, log: eventLog })),
    bind(
      explore,
      new ExploreService({ readResource: (uri, caller) => registry.read(uri, caller) }),
    ),
    ...extraDomains,
  ])
  const dispatcher = new Dispatcher({ registry, unitsOfWork: sessions, jobs, audit, log })
  const notifications: Notifications = new Notifications({ registry, log })
  eventLog.subscribe((published) => notifications.eventsPublished(published))
  jobs.listen(eventLog)
  await schema.start()
  eventLog.start()
  jobs.open()
  audit.poke()
  return {
    serving: { registry, dispatcher, jobs, notifications },
    schema,
    description: describe(config, platform),
    drain: () => jobs.close(),
    close: async () => {
      await schema.stop()
      await jobs.close()
      await sessions.close()
      await eventLog.stop()
      await audit.stop()
      await Promise.all([database.close(), health.close(), leases.close(), queue.close()])
      if (sessionPool !== database) await sessionPool.close()
      await platform.close()
    },
  }
}

const workerConnection = (endpoint: Endpoint, timeoutMs: number): WorkerConnection =>
  new WorkerConnection({ endpoint, name: 'catalyst-db jobs', timeoutMs })

async function startEmbedded(config: Config, log: Log): Promise<EmbeddedServices | null> {
  const wanted = { postgres: !config.DATABASE_URL, redis: !config.REDIS_URL }
  if (!wanted.postgres && !wanted.redis) return null
  return joinEmbedded({
    dataDir: embeddedDir(config),
    ...wanted,
    log: (level, message, details) => log[level]({ ...details }, message),
  })
}

function endpointsOf(config: Config, embedded: EmbeddedServices | null) {
  const url = config.DATABASE_URL?.reveal() ?? embedded?.postgres?.connectionString ?? ''
  const pooled = parseDatabaseUrl(url, config.PGSSLROOTCERT)
  const directUrl = config.DATABASE_DIRECT_URL?.reveal() ?? url
  if (directUrl === url) return { pooled, direct: pooled }
  const direct = parseDatabaseUrl(directUrl, config.PGSSLROOTCERT)
  direct.servers.shareHistory(pooled.servers)
  return { pooled, direct }
}

function openCache(
  config: Config,
  embedded: EmbeddedServices | null,
  database: string,
): { readonly store: CacheStore; readonly engine: Engine } {
  const external = config.REDIS_URL?.reveal().replace(/^unix:\/\//, '')
  const url = external ?? embedded?.redis?.path
  if (!url) return { store: new MemoryCacheStore(), engine: 'in-process' }
  // What is cached belongs to one database; another database's servers may use the same Redis.
  const store = new RedisCacheStore({ url, namespace: `catalyst:${database}` })
  return { store, engine: external ? 'external' : 'embedded' }
}

function describe(config: Config, { embedded, pooled, cache }: Platform): App['description'] {
  const postgres = embedded?.postgres
  const where = postgres
    ? `embedded ${postgres.version} in ${embeddedDir(config)}${already(postgres.adopted)}`
    : pooled.label
  return [
    { part: 'PostgreSQL', where },
    { part: 'Cache', where: describeCache(config, embedded?.redis ?? null, cache.engine) },
  ]
}

function describeCache(config: Config, redis: EmbeddedServices['redis'], engine: Engine): string {
  if (engine === 'external') return redactUrl(config.REDIS_URL?.reveal() ?? '')
  return redis
    ? `embedded ${redis.program}${already(redis.adopted)}`
    : 'in process (no valkey-server or redis-server on PATH)'
}

const already = (adopted: boolean): string => (adopted ? ', already running' : '')
