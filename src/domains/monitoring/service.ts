import type { Check } from '../../lib/check.js'
import type { Clock } from '../../lib/clock.js'
import { instantText } from '../../lib/utc-text.js'
import { type Probe, type ProbeDeps, probe } from './probe.js'
import * as statements from './sql.js'
import { findingsOf, inWords, type Look, toldBy, verdict } from './verdict.js'

/** Where an outside system comes from. */
type Engine = 'embedded' | 'external' | 'in-process'

/** What the verdict is made from. */
export interface MonitoringDeps extends ProbeDeps {
  readonly postgresEngine: Engine
  readonly cacheEngine: Engine
  readonly cacheHealth: () => Promise<Look['cache']>
  readonly pool: () => Look['pool']
  readonly schema: () => Look['schema']
  readonly queueTrouble: () => Look['queueTrouble']
  /** What the parts say of themselves. */
  readonly checks: readonly Check[]
  readonly clock: Clock
}

/** Looks at the database's health; never answers from memory. */
export class MonitoringService {
  readonly #deps: MonitoringDeps
  readonly #startedAt: Date
  #looking: Promise<Look> | null = null
  #downSince: Date | null = null

  constructor(deps: MonitoringDeps) {
    this.#deps = deps
    this.#startedAt = deps.clock.now()
  }

  /** The verdict with its reasons. */
  async currentStatus() {
    const { clock, postgresEngine, cacheEngine } = this.#deps
    const look = await this.#look()
    const findings = findingsOf(look)
    const now = clock.now()
    return {
      status: verdict(findings),
      reasons: [...findings.critical, ...findings.warnings],
      postgresql: describePostgres(look.probe, postgresEngine, this.#downSince),
      redis: {
        status: look.cache.state,
        engine: cacheEngine,
        since: look.cache.since,
        reason: look.cache.reason,
      },
      connection_pool: look.pool,
      replication_lag: describeReplication(look.probe),
      object_store: { status: 'unknown' as const, reason: 'This version has no object store.' },
      last_backup: { at: null, reason: 'This version cannot take backups.' },
      schema_version: look.probe.up ? look.probe.server.schema_version : null,
      uptime_seconds: Math.floor((now.getTime() - this.#startedAt.getTime()) / 1_000),
      checked_at: instantText(now),
    }
  }

  /** Why calls should be sent elsewhere for now; null when this server can do its work. */
  async notReady(): Promise<string | null> {
    const look = await this.#look()
    const { critical } = findingsOf(look)
    return critical.length > 0 ? critical.join(' ') : look.schema.reason
  }

  /** The pool of this server, and every backend of the database. */
  async connections(limit: number) {
    const details = await this.#deps.connection.many(statements.connectionDetails(limit))
    return { pool_stats: this.#deps.pool(), connection_details: details }
  }

  /** Callers that ask at the same time share one look. */
  #look(): Promise<Look> {
    this.#looking ??= this.#lookAtAll().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #lookAtAll(): Promise<Look> {
    const { clock, cacheHealth, pool, schema, queueTrouble, checks } = this.#deps
    const isMigrated = schema().state === 'current'
    const [found, cache] = await Promise.all([probe(this.#deps, isMigrated), cacheHealth()])
    this.#downSince = found.up ? null : (this.#downSince ?? clock.now())
    const own = { pool: pool(), schema: schema(), queueTrouble: queueTrouble() }
    return { probe: found, cache, ...own, told: toldBy(checks, found.up) }
  }
}

function describePostgres(found: Probe, engine: Engine, downSince: Date | null) {
  if (!found.up) {
    return {
      status: 'down' as const,
      engine,
      version: null,
      since: downSince && instantText(downSince),
      latency_ms: null,
      in_recovery: null,
      connections: null,
      max_connections: null,
      reason: inWords(found.trouble),
    }
  }
  const { version, started_at, in_recovery, connections, max_connections } = found.server
  return {
    status: 'up' as const,
    engine,
    version,
    since: started_at,
    latency_ms: found.latencyMs,
    in_recovery,
    connections,
    max_connections,
    reason: found.trouble ? inWords(found.trouble) : null,
  }
}

/** Null when PostgreSQL is down (unknown); no replicas means there is nothing to lag. */
function describeReplication(found: Probe) {
  if (!found.up) return null
  const { replicas } = found.server
  const lags = replicas.flatMap(({ lag_seconds }) => lag_seconds ?? [])
  return {
    max_lag_seconds: lags.length > 0 ? Math.max(...lags) : null,
    replicas: [...replicas],
  }
}
