import { setTimeout as delay } from 'node:timers/promises'
import { type Config, migrationsDir } from './config.js'
import { steer } from './domains/assistant/steering.js'
import { lookAtStore } from './domains/backups/look-at-store.js'
import { backupsOf } from './domains/backups/of-settings.js'
import { Restores } from './domains/backups/restore/restores.js'
import { readIdentities, storeSettings } from './domains/backups/settings.js'
import { StoredBackups } from './domains/backups/stored-backups.js'
import { BackupWatch } from './domains/backups/watch.js'
import { loginOf, operationsOf, runnerOf } from './domains/migrations/construct.js'
import { type LintedFile, Linting } from './domains/migrations/linting.js'
import type { MigrationService } from './domains/migrations/service.js'
import { checkUp, type Finding, isUsable } from './domains/monitoring/checkup.js'
import { type ToldFinding, toldFindings } from './domains/monitoring/ledger.sql.js'
import { Observer } from './domains/monitoring/observer.js'
import { Sampler } from './domains/monitoring/sampler.js'
import { MonitoringService } from './domains/monitoring/service.js'
import type { CacheLook } from './domains/monitoring/verdict.js'
import { databaseChecks, monitorConnection } from './domains/monitoring/watch.js'
import { AppError } from './errors.js'
import { systemClock } from './lib/clock.js'
import { prepareDatabase } from './platform/embedded/catalyst-database.js'
import { createLog, type Log } from './platform/log.js'
import { openStore } from './platform/objects/open.js'
import { type ChainVerdict, verifyChain } from './platform/postgres/audit-verification.js'
import { DISK_FULL } from './platform/postgres/connection-trouble.js'
import { Database } from './platform/postgres/database.js'
import { DedicatedConnection, HEALTH_TIMEOUT_MS } from './platform/postgres/dedicated.js'
import { checkRoles } from './platform/postgres/roles/checkup.js'
import { OperatorLogin } from './platform/postgres/roles/operator-login.js'
import { hasRoom } from './platform/postgres/room.js'
import { type ObservedSystems, observeSystems, openDatabase } from './systems.js'

/**
 * The health of the database as a command sees it that starts and changes nothing. Two samples a moment apart
 * say what has to last; what running servers have told is read as well.
 */
export async function lookAtStatus(config: Config) {
  const systems = await observeSystems(config)
  const { pooled, direct, absent, cache } = systems
  const connection = new DedicatedConnection({ endpoint: direct, timeoutMs: HEALTH_TIMEOUT_MS })
  const monitor = monitorConnection(direct)
  const schema = absent ? UNKNOWN_SCHEMA : await standingOf(runnerOf(config, systems))
  const observer = new Observer({ connection: monitor, clock: systemClock, sampleMs: SAMPLE_MS })
  const checks = databaseChecks(observer, config.policy.monitoring)
  const sampler = new Sampler({
    look: () => observer.round(),
    checks: () => checks,
    isUp: () => 'value' in observer.pulse,
    clock: systemClock,
    failed: () => {},
  })
  let told: readonly ToldFinding[] = []
  const service = new MonitoringService({
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
    queueTrouble: () => null,
    checks: [],
    clock: systemClock,
    monitor,
    observer,
    sampler,
    told: () => told,
    history: null,
    sampleMs: SAMPLE_MS,
    servesTool: () => false,
    exposition: null,
  })
  try {
    if (!absent) await sampler.sample()
    if ('value' in observer.pulse) {
      await delay(SAMPLE_MS)
      await sampler.sample()
      if (schema.state === 'current') {
        told = await connection.many(toldFindings()).catch(() => [])
        const backups = await lookAtBackups(config, systems)
        if (backups) service.backupsAre(backups)
      }
    }
    const [status, { findings }] = await Promise.all([service.currentStatus(), service.findings()])
    return { ...status, finding_list: findings }
  } finally {
    await Promise.all([connection.close(), monitor.close(), systems.close()])
  }
}

/** What there is to restore from; null where that cannot be asked. */
async function lookAtBackups(config: Config, { pooled, direct }: ObservedSystems) {
  const database = new Database({ endpoint: pooled, poolMax: 2 })
  const service = backupsOf(config, {
    database,
    direct,
    clock: systemClock,
    log: createLog('silent'),
    serverId: 'command',
    embedded: null,
  })
  try {
    const watch = new BackupWatch(service, config.policy, systemClock)
    await watch.look()
    return watch
  } catch {
    return null
  } finally {
    await service.close()
    await database.close()
  }
}

/** Between the two samples of a command, in milliseconds. */
const SAMPLE_MS = 1_000

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

/**
 * Pulls or lets go of the assistant's emergency stop, or enables an action again; all servers of the database obey.
 *
 * @throws AppError `unavailable` where the tables are not there
 */
export async function steerAssistant(
  config: Config,
  log: Log,
  wish: Parameters<typeof steer>[1],
): Promise<void> {
  const systems = await openDatabase(config, log, 'present')
  const database = new Database({ endpoint: systems.pooled, poolMax: 1 })
  try {
    await steer(database, wish)
  } finally {
    await database.close()
    await systems.close()
  }
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
    const store = await lookAtStore(storeSettings(config))
    return [...findings, ...(roles ? [roles] : []), store]
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

/** The backups in the store that the settings name; needs no database. */
export async function openStoredBackups(config: Config): Promise<StoredBackups> {
  const objects = await openStore(storeSettings(config))
  return new StoredBackups({
    objects,
    clock: systemClock,
    policy: config.policy.backups,
    identities: () => readIdentities(config.CATALYST_BACKUP_IDENTITY_FILE ?? null),
  })
}

/** Restores from that store on the server that the settings name; an embedded one is made where there is none. */
export async function openRestores(config: Config, log: Log) {
  const objects = await openStore(storeSettings(config))
  const systems = await openDatabase(config, log, 'made')
  const restores = new Restores({
    direct: systems.direct,
    policy: config.policy.backups,
    identityFile: config.CATALYST_BACKUP_IDENTITY_FILE ?? null,
    objects: async () => objects,
    prepareDatabase: async (database) => {
      const embedded = systems.embedded?.postgres
      if (embedded) await prepareDatabase(embedded.connectionString, database)
    },
  })
  const close = async () => {
    objects.close()
    await systems.close()
  }
  return { restores, close }
}
