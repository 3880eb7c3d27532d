import { AppError } from '../../errors.js'
import type { Clock } from '../../lib/clock.js'
import { instantText } from '../../lib/utc-text.js'
import type { CacheHealth } from '../../platform/cache/cache-store.js'
import type { PoolStats } from '../../platform/postgres/database.js'
import type { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { behindPooler } from '../../platform/postgres/errors.js'
import * as statements from './sql.js'

/** Where an outside system comes from. */
type Engine = 'embedded' | 'external' | 'in-process'

/** Where the schema stands: `current`, or why not. */
interface SchemaState {
  readonly state: 'current' | 'pending' | 'failed'
  readonly reason: string | null
}

/** What the verdict is made from. */
export interface MonitoringDeps {
  /** A connection of its own: the answer must not wait behind the pool's users. */
  readonly connection: DedicatedConnection
  readonly postgresEngine: Engine
  readonly cacheEngine: Engine
  readonly cacheHealth: () => Promise<CacheHealth>
  /** True while the memory of the cache is nearly full. */
  readonly isCacheFull: () => boolean
  readonly pool: () => PoolStats & { readonly max: number }
  readonly schema: () => SchemaState
  /** Since when events cannot be published; null while they can. */
  readonly eventsFailingSince: () => Date | null
  readonly clock: Clock
}

/** Share of max_connections above which the server is close to refusing logins. */
const CONNECTIONS_NEARLY_FULL = 0.8
/** Replay lag beyond which a replica is no longer a fresh copy, in seconds. */
const LAG_WARNING_SECONDS = 30

type Probe =
  | {
      readonly up: true
      readonly server: statements.ServerHealth
      readonly latencyMs: number
      /** The way to the database that should be direct leads through a pooler. */
      readonly isPooled: boolean
    }
  | { readonly up: false; readonly reason: string }

/** Looks at the database's health; never answers from memory. */
export class MonitoringService {
  readonly #deps: MonitoringDeps
  readonly #startedAt: Date
  #running: Promise<Awaited<ReturnType<MonitoringService['status']>>> | null = null
  #downSince: Date | null = null

  constructor(deps: MonitoringDeps) {
    this.#deps = deps
    this.#startedAt = deps.clock.now()
  }

  /** The verdict with its reasons; callers that ask at the same time share one look. */
  currentStatus(): ReturnType<MonitoringService['status']> {
    this.#running ??= this.status().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** One look at everything, and what it means. */
  async status() {
    const { clock, postgresEngine, cacheEngine } = this.#deps
    const [probe, cache] = await Promise.all([this.#probe(), this.#deps.cacheHealth()])
    const pool = this.#deps.pool()
    const schema = this.#deps.schema()
    const now = clock.now()
    this.#downSince = probe.up ? null : (this.#downSince ?? now)
    const critical = criticalReasons(probe, schema)
    const warnings = [
      ...warningReasons(probe, cache, pool, schema),
      ...(this.#deps.isCacheFull() ? ['The memory of the cache is nearly full.'] : []),
      ...eventReasons(probe, this.#deps.eventsFailingSince()),
    ]
    return {
      status: verdict(critical, warnings),
      reasons: [...critical, ...warnings],
      postgresql: describePostgres(probe, postgresEngine, this.#downSince),
      redis: {
        status: cache.state,
        engine: cacheEngine,
        since: cache.since,
        reason: cache.reason,
      },
      connection_pool: pool,
      replication_lag: describeReplication(probe),
      object_store: { status: 'unknown' as const, reason: 'This version has no object store.' },
      last_backup: { at: null, reason: 'This version cannot take backups.' },
      schema_version: probe.up ? probe.server.schema_version : null,
      uptime_seconds: Math.floor((now.getTime() - this.#startedAt.getTime()) / 1_000),
      checked_at: instantText(now),
    }
  }

  /** The pool of this server, and every backend of the database. */
  async connections(limit: number) {
    const details = await this.#deps.connection.many(statements.connectionDetails(limit))
    return { pool_stats: this.#deps.pool(), connection_details: details }
  }

  async #probe(): Promise<Probe> {
    const started = performance.now()
    try {
      const { connection, schema } = this.#deps
      const isMigrated = schema().state === 'current'
      const server = await connection.one(statements.serverHealth(isMigrated))
      const latencyMs = Math.round((performance.now() - started) * 1_000) / 1_000
      return { up: true, server, latencyMs, isPooled: connection.isPooled }
    } catch (error) {
      if (error instanceof AppError) return { up: false, reason: error.message }
      throw error
    }
  }
}

function verdict(critical: readonly string[], warnings: readonly string[]) {
  if (critical.length > 0) return 'unhealthy' as const
  return warnings.length > 0 ? ('degraded' as const) : ('healthy' as const)
}

function criticalReasons(probe: Probe, schema: SchemaState): string[] {
  const reasons: string[] = []
  if (!probe.up) reasons.push(`PostgreSQL is down: ${probe.reason}`)
  else if (probe.isPooled) reasons.push(behindPooler().message)
  else if (schema.state === 'failed') reasons.push(`The schema is not usable: ${schema.reason}`)
  if (probe.up && probe.server.in_recovery) {
    reasons.push('PostgreSQL is in recovery: it answers reads only.')
  }
  return reasons
}

function warningReasons(
  probe: Probe,
  cache: CacheHealth,
  pool: PoolStats & { readonly max: number },
  schema: SchemaState,
): string[] {
  const reasons: string[] = []
  if (probe.up && schema.state === 'pending') {
    reasons.push(`The schema is not current yet: ${schema.reason}`)
  }
  if (cache.state !== 'ready') reasons.push(`The cache is ${cache.state}: ${cache.reason}`)
  if (pool.waiting > 0) {
    reasons.push(`${pool.waiting} calls wait for one of ${pool.max} pooled connections.`)
  }
  if (probe.up) reasons.push(...capacityReasons(probe.server), ...lagReasons(probe.server.replicas))
  return reasons
}

/** While PostgreSQL is down nothing is committed that could be published. */
const eventReasons = (probe: Probe, failingSince: Date | null): string[] =>
  probe.up && failingSince
    ? [`Events have not been published since ${instantText(failingSince)}; they are kept.`]
    : []

function capacityReasons({ connections, max_connections }: statements.ServerHealth): string[] {
  if (connections < max_connections * CONNECTIONS_NEARLY_FULL) return []
  return [`${connections} of ${max_connections} connections of PostgreSQL are in use.`]
}

const lagReasons = (replicas: readonly statements.ReplicaLag[]): string[] =>
  replicas
    .filter(({ lag_seconds }) => lag_seconds !== null && lag_seconds > LAG_WARNING_SECONDS)
    .map(({ lag_seconds }) => `A replica is ${Math.round(lag_seconds ?? 0)} s behind.`)

function describePostgres(probe: Probe, engine: Engine, downSince: Date | null) {
  if (!probe.up) {
    return {
      status: 'down' as const,
      engine,
      version: null,
      since: downSince && instantText(downSince),
      latency_ms: null,
      in_recovery: null,
      connections: null,
      max_connections: null,
      reason: probe.reason,
    }
  }
  const { version, started_at, in_recovery, connections, max_connections } = probe.server
  return {
    status: 'up' as const,
    engine,
    version,
    since: started_at,
    latency_ms: probe.latencyMs,
    in_recovery,
    connections,
    max_connections,
    reason: null,
  }
}

/** Null when PostgreSQL is down (unknown); no replicas means there is nothing to lag. */
function describeReplication(probe: Probe) {
  if (!probe.up) return null
  const { replicas } = probe.server
  const lags = replicas.flatMap(({ lag_seconds }) => lag_seconds ?? [])
  return {
    max_lag_seconds: lags.length > 0 ? Math.max(...lags) : null,
    replicas: [...replicas],
  }
}
