import type { Check } from '../../lib/check.js'
import type { Clock } from '../../lib/clock.js'
import type { PageKey } from '../../lib/page.js'
import { instantText } from '../../lib/utc-text.js'
import type { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { type AnsweredFinding, countsOf, joinFindings, type Known } from './findings.js'
import type { History } from './history.js'
import type { ToldFinding } from './ledger.sql.js'
import { type LockTree, lockAdvice, longestWait } from './lock-trees.js'
import { type MetricsQuery, metricsOf } from './metrics.js'
import type { Observer } from './observer.js'
import { type Probe, type ProbeDeps, probe } from './probe.js'
import type { Sampler } from './sampler.js'
import type { SeriesName } from './series.js'
import { type SlowQueriesQuery, slowQueriesOf } from './slow-queries.js'
import * as statements from './sql.js'
import { Tables } from './tables.js'
import { inWords, type Look, statesOf, toldBy, verdict } from './verdict.js'

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
  /** Of its own, for what takes longer than a look at the health. */
  readonly monitor: Pick<DedicatedConnection, 'many' | 'one'>
  readonly observer: Observer
  readonly sampler: Sampler
  /** What servers have told; nothing where nothing is written. */
  readonly told: () => readonly ToldFinding[]
  readonly history: Pick<History, 'since'> | null
  readonly sampleMs: number
  readonly servesTool: (name: string) => boolean
  /** The metrics as they are scraped; nothing where nobody serves them. */
  readonly exposition: (() => Promise<{ readonly type: string; readonly body: string }>) | null
}

/** What the part of backups knows, where there is one. */
export interface BackupFacts {
  objectStore(): { readonly status: 'ok' | 'failing' | 'unknown'; readonly reason: string | null }
  /** Null while there is none. */
  lastBackup(): {
    readonly at: string
    readonly backup_id: string
    readonly covered_until: string | null
    readonly rpo_seconds: number | null
    readonly verified_at: string | null
  } | null
}

const NOT_ASKED = 'Backups were not looked at: the database could not be asked for them.'
const NO_STORE = { status: 'unknown' as const, reason: NOT_ASKED }
const NO_BACKUP = {
  at: null,
  backup_id: null,
  covered_until: null,
  rpo_seconds: null,
  verified_at: null,
}
/** A model reads the worst first; what is well needs no sentence. */
const MOST_FINDINGS = 40
const MOST_TREES = 20

/** Says how the database is: states from a look at each read, what has to last from the samples before. */
export class MonitoringService {
  readonly #deps: MonitoringDeps
  readonly #startedAt: Date
  readonly #tables: Tables
  #backups: BackupFacts | null = null
  #looking: Promise<Look> | null = null
  #downSince: Date | null = null

  constructor(deps: MonitoringDeps) {
    this.#deps = deps
    this.#startedAt = deps.clock.now()
    const { observer, monitor } = deps
    const tupleSchema = () => ('value' in observer.pulse ? observer.pulse.value.tuple_schema : null)
    this.#tables = new Tables({ connection: monitor, tupleSchema })
  }

  /** Age of the newest data that no backup has; null where that is not known. */
  get rpoSeconds(): number | null {
    return this.#backups?.lastBackup()?.rpo_seconds ?? null
  }

  /** The part of backups says what it knows. */
  backupsAre(facts: BackupFacts): void {
    this.#backups = facts
  }

  /** The verdict with its reasons. */
  async currentStatus() {
    const { clock, postgresEngine, cacheEngine } = this.#deps
    const look = await this.#look()
    const { findings } = this.#join(look)
    const wrong = findings.filter(({ severity }) => severity !== 'info')
    const now = clock.now()
    return {
      status: verdict(wrong.map(({ severity }) => severity)),
      reasons: wrong.map(({ title }) => title),
      findings: countsOf(findings),
      postgresql: describePostgres(look.probe, postgresEngine, this.#downSince),
      redis: {
        status: look.cache.state,
        engine: cacheEngine,
        since: look.cache.since,
        reason: look.cache.reason,
      },
      connection_pool: look.pool,
      replication_lag: describeReplication(look.probe),
      object_store: this.#backups?.objectStore() ?? NO_STORE,
      last_backup: this.#lastBackup(),
      schema_version: look.probe.up ? look.probe.server.schema_version : null,
      uptime_seconds: Math.floor((now.getTime() - this.#startedAt.getTime()) / 1_000),
      checked_at: instantText(now),
    }
  }

  /** Why calls should be sent elsewhere for now; null when this server can do its work. */
  async notReady(): Promise<string | null> {
    const look = await this.#look()
    const critical = statesOf(look).filter(({ severity }) => severity === 'critical')
    return critical.length > 0 ? critical.map(({ title }) => title).join(' ') : look.schema.reason
  }

  /** Everything that is known of how things are: what is wrong, what is well, what nobody can say. */
  async findings(severity?: AnsweredFinding['severity']) {
    if (this.#deps.sampler.verdicts.at === null) await this.#deps.sampler.sample()
    const look = await this.#look()
    const { findings, passed, unknown } = this.#join(look)
    const wanted = findings.filter((one) => severity === undefined || one.severity === severity)
    return {
      status: verdict(findings.map((one) => one.severity)),
      counts: countsOf(findings),
      findings: wanted.slice(0, MOST_FINDINGS),
      passed: [...passed],
      unknown: [...unknown],
      sampled_at: textOf(this.#deps.sampler.verdicts.at),
    }
  }

  /** The metrics as they are scraped. */
  async scraped(): Promise<{ readonly type: string; readonly body: string }> {
    return (await this.#deps.exposition?.()) ?? { type: 'text/plain', body: '' }
  }

  /** Figures over time. */
  metrics(query: MetricsQuery) {
    const { history, clock, sampleMs } = this.#deps
    const nothing = { since: () => Promise.resolve([]) }
    const unavailable = (name: SeriesName) => this.#unavailable(name)
    const now = clock.now().getTime()
    return metricsOf(history ?? nothing, query, { now, sampleMs, unavailable })
  }

  /** Who waits for whom right now. */
  async locks() {
    const trees = await this.#deps.observer.lockTrees()
    return {
      blocked: trees.reduce((sum, tree) => sum + countBelow(tree), 0),
      longest_wait_ms: trees.length === 0 ? null : Math.max(...trees.map(longestWait)),
      trees: trees
        .slice(0, MOST_TREES)
        .map((tree) => ({ ...treeOf(tree), next_step: lockAdvice(tree) })),
    }
  }

  /** Statements that take long, as of right now. */
  async slowQueries(query: SlowQueriesQuery) {
    await this.#deps.observer.lookAtStatements()
    return slowQueriesOf(this.#deps.observer, query)
  }

  /** Tables with their size and use. */
  async tables(limit: number, cursor: PageKey | undefined) {
    return this.#tables.page(limit, cursor)
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

  #join(look: Look): Known {
    const { sampler, told, clock, servesTool } = this.#deps
    return joinFindings(look, sampler.verdicts, told(), { now: clock.now(), servesTool })
  }

  #lastBackup() {
    if (!this.#backups) return { ...NO_BACKUP, reason: NOT_ASKED }
    const last = this.#backups.lastBackup()
    return last ? { ...last, reason: null } : { ...NO_BACKUP, reason: 'There is no backup yet.' }
  }

  /** Why a figure has no history. */
  #unavailable(name: SeriesName): string {
    const { observer } = this.#deps
    const { reason } = this.#lastBackup()
    if (name === 'rpo_seconds' && reason) return reason
    if ('reason' in observer.pulse) return observer.pulse.reason
    const ofStatements = name === 'query_avg_ms' || name === 'statement_p95_ms'
    if (ofStatements && 'reason' in observer.statements) return observer.statements.reason
    if (name === 'replication_lag_seconds') return 'There is no replica.'
    return 'Nothing was counted in this time.'
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

function treeOf(tree: LockTree): AnsweredTree {
  const { blocks, gid: _gid, role: _role, state_age_ms: _age, ...facts } = tree
  return { ...facts, blocks: blocks.map(treeOf) }
}

/** A tree as clients read it. */
interface AnsweredTree extends Omit<LockTree, 'blocks' | 'gid' | 'role' | 'state_age_ms'> {
  readonly blocks: AnsweredTree[]
}

const countBelow = ({ blocks }: LockTree): number =>
  blocks.reduce((sum, below) => sum + 1 + countBelow(below), 0)

const textOf = (instant: Date | null): string | null => instant && instantText(instant)
