import { type Config, migrationsDir } from './config.js'
import { CoherentCache } from './domains/cache/coherent-cache.js'
import { cache as cacheDomain } from './domains/cache/index.js'
import { CacheService } from './domains/cache/service.js'
import { Warming } from './domains/cache/warming.js'
import { events } from './domains/events/index.js'
import { EventService } from './domains/events/service.js'
import { explore } from './domains/explore/index.js'
import { ExploreService } from './domains/explore/service.js'
import { jobs as jobDomain } from './domains/jobs/index.js'
import { JobService } from './domains/jobs/service.js'
import { BarService } from './domains/market/bars.service.js'
import { ClockService } from './domains/market/clock.service.js'
import { bars, marketClock, news } from './domains/market/index.js'
import { NewsService } from './domains/market/news.service.js'
import { partitionKeeper } from './domains/market/partition-keeper.js'
import { Partitions } from './domains/market/partitions.js'
import { SecurityService } from './domains/market/securities.service.js'
import { migrations as migrationDomain } from './domains/migrations/index.js'
import { type LintedFile, Linting } from './domains/migrations/linting.js'
import { MigrationOperations } from './domains/migrations/operations.service.js'
import { SchemaKeeper } from './domains/migrations/schema-keeper.js'
import { type MigrationDeps, MigrationService } from './domains/migrations/service.js'
import { checkUp, type Finding, isUsable } from './domains/monitoring/checkup.js'
import { DiskWatch } from './domains/monitoring/disk-watch.js'
import { monitoring } from './domains/monitoring/index.js'
import { MonitoringService } from './domains/monitoring/service.js'
import type { CacheLook } from './domains/monitoring/verdict.js'
import { sessions as sessionDomain } from './domains/sessions/index.js'
import { SessionService } from './domains/sessions/service.js'
import { sayAlive } from './domains/sessions/sql.js'
import { sync } from './domains/sync/index.js'
import { SyncService } from './domains/sync/service.js'
import { patterns, signals, trades } from './domains/trading/index.js'
import { PatternService } from './domains/trading/patterns.service.js'
import { SignalService } from './domains/trading/signals.service.js'
import { TradeService } from './domains/trading/trades.service.js'
import { AppError } from './errors.js'
import { systemClock } from './lib/clock.js'
import { newId } from './lib/ids.js'
import type { Marks } from './lib/marks.js'
import { packageFile } from './lib/package-files.js'
import { VERSION } from './lib/version.js'
import { type BoundDomain, bind } from './mcp/define.js'
import { Dispatcher } from './mcp/dispatcher.js'
import { Notifications } from './mcp/notifications.js'
import { Registry } from './mcp/registry.js'
import type { Serving } from './mcp/server.js'
import type { Log } from './platform/log.js'
import { AuditMonths } from './platform/postgres/audit-months.js'
import { AuditTrail } from './platform/postgres/audit-trail.js'
import { type ChainVerdict, verifyChain } from './platform/postgres/audit-verification.js'
import { ConfirmationStore } from './platform/postgres/confirmations.js'
import type { Endpoint } from './platform/postgres/connection.js'
import { DISK_FULL } from './platform/postgres/connection-trouble.js'
import { Database } from './platform/postgres/database.js'
import { DedicatedConnection } from './platform/postgres/dedicated.js'
import { EventLog } from './platform/postgres/event-log.js'
import { databaseOutage } from './platform/postgres/outage.js'
import { Adopting } from './platform/postgres/roles/adoption.js'
import { checkRoles } from './platform/postgres/roles/checkup.js'
import { MigratorLogin } from './platform/postgres/roles/migrator-login.js'
import { OperatorLogin } from './platform/postgres/roles/operator-login.js'
import { hasRoom } from './platform/postgres/room.js'
import { WorkerConnection } from './platform/postgres/worker-connection.js'
import {
  describe,
  type ObservedSystems,
  observeSystems,
  openDatabase,
  openSystems,
  type RunningPart,
  type Systems,
} from './systems.js'

/** Everything that runs, constructed and connected. */
export interface App {
  readonly serving: Serving
  readonly schema: SchemaKeeper
  /** Why calls should be sent elsewhere for now; null when this server can do its work. */
  notReady(): Promise<string | null>
  /** What runs where, one line each, without secrets. */
  readonly description: readonly RunningPart[]
  /** Hands long operations on and lets those go who wait for them; the first step of ending. */
  drain(): Promise<void>
  /** Lets running work finish, closes every connection, and leaves the embedded services. */
  close(): Promise<void>
}

const MIGRATIONS = packageFile('migrations')
/** Health reads must be answered even when the database is not. */
const HEALTH_TIMEOUT_MS = 2_000
/** A heartbeat that takes longer is none. */
const LEASE_TIMEOUT_MS = 2_500
/** Readers of the cache wait so long at most to hear what is outdated; then they read the database. */
const SIGHT_TIMEOUT_MS = 1_000

/** The composition root: the only place where things are constructed. */
export async function openApp(
  config: Config,
  log: Log,
  extraDomains: readonly BoundDomain[] = [],
): Promise<App> {
  const systems = await openSystems(config, log)
  const { pooled, direct, cache } = systems
  const poolMax = config.CATALYST_POOL_MAX
  const heard = {
    failed: (error: unknown) => disk.failed(error),
    wrote: () => disk.wrote(),
  }
  const database = new Database({ endpoint: pooled, poolMax, heard })
  const health = new DedicatedConnection({ endpoint: direct, timeoutMs: HEALTH_TIMEOUT_MS })
  const migrations = runnerOf(config, systems, {
    committed: () => eventLog.poke(),
    scripts: new MigratorLogin(loginOf(config, systems)),
  })
  const outage = databaseOutage(log)
  const schema = new SchemaKeeper({ migrations, log, outage })
  const serverId = newId('srv')
  const eventLog = new EventLog({ endpoint: direct, greeting: sayAlive(serverId), log, outage })
  const { risk, learning, cache: cachePolicy, audit: auditPolicy } = config.policy
  const months = new AuditMonths({ database, keepMonths: auditPolicy.keep_months, outage })
  const audit = new AuditTrail({ database, serverId, clock: systemClock, months, log, outage })
  const committed = (touched: Marks | undefined): void => {
    eventLog.poke()
    audit.poke()
    coherent.committed(touched)
  }
  const maxPinned = Math.floor(poolMax / 2)
  const sessionPool =
    direct.label === pooled.label
      ? database
      : new Database({ endpoint: direct, poolMax: maxPinned, heard })
  const leases = workerConnection(direct, LEASE_TIMEOUT_MS)
  const sessions = new SessionService({
    database,
    direct: sessionPool,
    health,
    connection: leases,
    maxPinned,
    maxPerCaller: config.policy.limits.sessions_per_caller,
    idleMs: config.CATALYST_SESSION_IDLE_SECONDS * 1_000,
    maxMs: config.CATALYST_SESSION_MAX_SECONDS * 1_000,
    serverId,
    clock: systemClock,
    log,
    outage,
    audit,
    operationOf: (requested, caller) => registry.operation(requested, caller),
    committed,
    changed: () => notifications.resourceChanged('db/sessions/active'),
  })
  const jobs = new JobService({
    database,
    connection: leases,
    serverId,
    log,
    outage,
    waitMs: config.CATALYST_JOB_WAIT_SECONDS * 1_000,
    tools: () => registry.jobTools,
    committed: () => eventLog.poke(),
    changed: (jobId) => notifications.resourceChanged(`jobs/${jobId}`),
  })
  const disk: DiskWatch = new DiskWatch({
    hasRoom: () => hasRoom(direct),
    database,
    log,
    outage,
    committed: () => committed(undefined),
  })
  const monitor = new MonitoringService({
    connection: health,
    pooled,
    direct,
    writing: () => disk.look(),
    postgresEngine: config.DATABASE_URL ? 'external' : 'embedded',
    cacheEngine: cache.engine,
    cacheHealth: () => cache.store.health(),
    pool: () => ({ ...database.stats, max: poolMax }),
    schema: () => schema.state,
    own: () => ({
      isCacheFull: coherent.memory.isHigh,
      eventsFailingSince: eventLog.failingSince,
      queueTrouble: jobs.trouble,
    }),
    clock: systemClock,
  })
  const sights = new WorkerConnection({
    endpoint: direct,
    name: 'catalyst-db cache',
    timeoutMs: SIGHT_TIMEOUT_MS,
  })
  const coherent: CoherentCache = new CoherentCache({
    store: cache.store,
    connection: sights,
    database,
    clock: systemClock,
    policy: cachePolicy,
    log,
    committed: () => committed(undefined),
  })
  const cached = coherent.reads
  const securities = new SecurityService({ database })
  const store = { database, securities, clock: systemClock }
  const patternService = new PatternService({ ...store, learning, cached })
  const newsService = new NewsService({ clock: systemClock, database, cached })
  const partitions = new Partitions({ database: new Database({ endpoint: pooled, poolMax: 1 }) })
  const barService = new BarService({ ...store, partitions })
  const warming = new Warming({
    cached,
    policy: cachePolicy,
    sources: {
      news: async (symbol) => [newsService.firstPage(symbol)],
      sentiment: async (symbol) => [newsService.sentiment(symbol)],
      indicators: (symbol) => barService.indicators(symbol),
      patterns: (symbol) => patternService.results(symbol),
    },
  })
  const keeper = partitionKeeper({ partitions, clock: systemClock, log, outage })
  const eventService = new EventService({ database, log: eventLog })
  const registry: Registry = new Registry([
    bind(news, newsService),
    bind(bars, barService),
    bind(marketClock, new ClockService({ clock: systemClock })),
    bind(signals, new SignalService({ ...store, risk })),
    bind(trades, new TradeService({ ...store, learning })),
    bind(patterns, patternService),
    bind(migrationDomain, operationsOf(config, systems, migrations)),
    bind(sync, new SyncService({ ...store, learning, patterns: patternService, committed })),
    bind(
      cacheDomain,
      new CacheService({
        ...cache,
        coherent,
        warming,
        database,
        clock: systemClock,
        policy: cachePolicy,
        committed: () => committed(undefined),
      }),
    ),
    bind(monitoring, monitor),
    bind(sessionDomain, sessions),
    bind(jobDomain, jobs),
    bind(events, eventService),
    bind(
      explore,
      new ExploreService({
        readResource: (uri, caller) => registry.read(uri, caller),
        index: () => registry.resourceIndex,
      }),
    ),
    ...extraDomains,
  ])
  const confirmations = new ConfirmationStore({ database, audit })
  const dispatcher = new Dispatcher({
    registry,
    unitsOfWork: sessions,
    jobs,
    confirmations,
    audit,
    explain: (error) => schema.explain(error),
    log,
  })
  const notifications: Notifications = new Notifications({
    registry,
    log,
    limit: {
      subscriptions: config.policy.limits.subscriptions_per_client,
      streams: config.policy.limits.streams_per_client,
    },
  })
  eventLog.subscribe((published) => notifications.eventsPublished(published))
  eventLog.subscribe((published) => coherent.eventsPublished(published))
  jobs.listen(eventLog)
  await schema.start()
  void schema.current.then(() => keeper.start())
  eventLog.start()
  jobs.open()
  sessions.open()
  // A cache inside the process evicts by itself and is nobody else's.
  if (cache.engine !== 'in-process') coherent.memory.start()
  audit.poke()
  return {
    serving: { registry, dispatcher, jobs, notifications },
    schema,
    notReady: () => monitor.notReady(),
    description: describe(config, systems),
    drain: async () => {
      eventService.stopWaiting()
      await jobs.close()
      await dispatcher.settled()
    },
    close: async () => {
      await schema.stop()
      await keeper.stop()
      await jobs.close()
      await sessions.close()
      await coherent.stop()
      await disk.stop()
      await eventLog.stop()
      await audit.stop()
      await Promise.all([
        database.close(),
        partitions.close(),
        ...[health, leases, sights].map((connection) => connection.close()),
      ])
      if (sessionPool !== database) await sessionPool.close()
      await systems.close()
    },
  }
}

const workerConnection = (endpoint: Endpoint, timeoutMs: number): WorkerConnection =>
  new WorkerConnection({ endpoint, name: 'catalyst-db jobs', timeoutMs })

const runnerOf = (
  config: Config,
  { direct }: Pick<Systems, 'direct'>,
  more: Pick<MigrationDeps, 'committed' | 'scripts'> = {},
): MigrationService =>
  new MigrationService({
    endpoint: direct,
    builtInDir: MIGRATIONS,
    operatorDir: migrationsDir(config),
    appVersion: VERSION,
    ...more,
  })

const loginOf = (config: Config, { direct, migrator }: Pick<Systems, 'direct' | 'migrator'>) => ({
  direct,
  given: migrator,
  isTrusted: !config.DATABASE_URL,
})

const operationsOf = (
  config: Config,
  { direct, migrator }: Pick<Systems, 'direct' | 'migrator'>,
  runner: MigrationService,
): MigrationOperations =>
  new MigrationOperations({
    runner,
    adopting: new Adopting(direct, migrator),
    directory: migrationsDir(config),
    policy: config.policy.migrations,
    clock: systemClock,
  })

/** The health of the database as a command sees it that starts and changes nothing. */
export async function lookAtStatus(config: Config) {
  const systems = await observeSystems(config)
  const { pooled, direct, absent, cache } = systems
  const connection = new DedicatedConnection({ endpoint: direct, timeoutMs: HEALTH_TIMEOUT_MS })
  const schema = absent ? UNKNOWN_SCHEMA : await standingOf(runnerOf(config, systems))
  const monitor = new MonitoringService({
    connection,
    pooled,
    direct,
    absent,
    writing: async () => ((await hasRoom(direct)) === false ? DISK_FULL : null),
    postgresEngine: config.DATABASE_URL ? 'external' : 'embedded',
    cacheEngine: cache?.engine ?? 'embedded',
    cacheHealth: () => cacheLook(cache),
    pool: () => ({ total: 0, active: 0, idle: 0, waiting: 0, max: config.CATALYST_POOL_MAX }),
    schema: () => schema,
    own: () => ({ isCacheFull: false, eventsFailingSince: null, queueTrouble: null }),
    clock: systemClock,
  })
  try {
    return await monitor.currentStatus()
  } finally {
    await Promise.all([connection.close(), systems.close()])
  }
}

const UNKNOWN_SCHEMA = { state: 'pending', reason: null } as const

/** Why it cannot be read is said by whoever looks at PostgreSQL itself. */
const standingOf = (runner: MigrationService) =>
  runner.standing().catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error
    return { state: 'failed' as const, reason: `${error.message} ${error.fix ?? ''}`.trim() }
  })

const cacheLook = async (cache: ObservedSystems['cache']): Promise<CacheLook> =>
  (await cache?.store.health()) ?? {
    state: 'not running',
    since: null,
    reason: 'it starts together with a server',
  }

/** Everything the server needs, looked at with a fix for what is not well; changes nothing. */
export async function examine(config: Config): Promise<Finding[]> {
  const systems = await observeSystems(config)
  try {
    const findings = await checkUp({
      ...systems,
      isEmbedded: !config.DATABASE_URL,
      cacheHealth: () => cacheLook(systems.cache),
      nodeVersion: process.versions.node,
    })
    const roles = isUsable(findings) ? await checkRoles(loginOf(config, systems)) : null
    return roles ? [...findings, roles] : findings
  } finally {
    await systems.close()
  }
}

/**
 * The migrations without the rest of the product, for commands. An embedded database that is not there yet
 * is made only where `database` says so.
 *
 * @throws AppError `unavailable` when there is none
 */
export async function openMigrations(config: Config, log: Log, database: 'present' | 'made') {
  const systems = await openDatabase(config, log, database)
  const scripts = new OperatorLogin(systems.direct, systems.migrator)
  const operations = operationsOf(config, systems, runnerOf(config, systems, { scripts }))
  return { operations, close: systems.close }
}

/**
 * Lints the named migration files, or all of the operator's, with the sizes of the tables where the
 * database answers; without it every table may be large.
 */
export async function lintMigrations(
  config: Config,
  paths: readonly string[],
): Promise<LintedFile[]> {
  const systems = await observeSystems(config)
  try {
    if (systems.absent) return await new Linting(null).ofFiles(paths, migrationsDir(config))
    return await runnerOf(config, systems).lint(paths)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unavailable') throw error
    return new Linting(null).ofFiles(paths, migrationsDir(config))
  } finally {
    await systems.close()
  }
}

/**
 * Recomputes the chain of the audit log.
 *
 * @throws AppError `unavailable` with what is missing where the tables are not there
 */
export async function verifyAudit(config: Config, log: Log): Promise<ChainVerdict> {
  const systems = await openDatabase(config, log, 'present')
  const database = new Database({ endpoint: systems.pooled, poolMax: 1 })
  try {
    return await verifyChain(database)
  } catch (error) {
    const { state, reason } = await standingOf(runnerOf(config, systems))
    if (state === 'current') throw error
    throw new AppError('unavailable', `The audit log cannot be read: ${reason}`, { cause: error })
  } finally {
    await database.close()
    await systems.close()
  }
}
