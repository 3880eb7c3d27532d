import type { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Loops } from '../../kernel/loops.js'
import type { AuditedCall } from '../../lib/call-record.js'
import { VERSION } from '../../lib/version.js'
import type { Observer } from './observer.js'
import type { Finding } from './sampler.js'
import type { Figures } from './series.js'

/** Where the figures come from. */
export interface ExpositionDeps {
  readonly observer: Observer
  readonly figures: () => Figures
  readonly findings: () => readonly Finding[]
  readonly pool: () => {
    readonly active: number
    readonly idle: number
    readonly waiting: number
    readonly max: number
  }
  readonly loops: Pick<Loops, 'all'>
  /** A name that nobody serves was made up by a caller, and is no label. */
  readonly isTool: (name: string) => boolean
}

/** Of the metrics that are set at each reading. */
interface Held {
  readonly registry: Registry
  readonly calls: Counter
  readonly durations: Histogram
  readonly set: () => void
}

/** From a cached read to the deadline of a call, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50]
/** Calls before the library is loaded; of more the first are forgotten. */
const MOST_WAITING = 10_000

/** The metrics of this server in Prometheus' text format 0.0.4. */
export class Exposition {
  readonly #deps: ExpositionDeps
  #held: Promise<Held> | null = null
  #loaded: Held | null = null
  #waiting: AuditedCall[] = []

  constructor(deps: ExpositionDeps) {
    this.#deps = deps
  }

  /** A tool call ended. */
  ended(call: AuditedCall): void {
    if (this.#loaded) return this.#count(this.#loaded, call)
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(call)
  }

  /** Everything there is to scrape. The library is loaded for the first who asks: many servers are never scraped. */
  async text(): Promise<{ readonly type: string; readonly body: string }> {
    this.#held ??= this.#load()
    const { registry, set } = await this.#held
    set()
    return { type: registry.contentType, body: await registry.metrics() }
  }

  async #load(): Promise<Held> {
    const prom = await import('prom-client')
    const registry = new prom.Registry()
    prom.collectDefaultMetrics({ register: registry, prefix: 'catalyst_' })
    const held = { registry, ...makeMetrics(prom, registry, this.#deps) }
    this.#loaded = held
    for (const call of this.#waiting.splice(0)) this.#count(held, call)
    return held
  }

  #count({ calls, durations }: Held, { tool, outcome, duration_ms }: AuditedCall): void {
    const name = this.#deps.isTool(tool) ? tool : 'unknown'
    calls.inc({ tool: name, outcome })
    durations.observe({ tool: name }, duration_ms / 1_000)
  }
}

type Prom = typeof import('prom-client')

function makeMetrics(prom: Prom, registry: Registry, deps: ExpositionDeps) {
  const registers = [registry]
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new prom.Gauge({ name: `catalyst_${name}`, help, labelNames, registers })
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new prom.Counter({ name: `catalyst_${name}`, help, labelNames, registers })
  gauge('build_info', 'Version of this server.', ['version']).set({ version: VERSION }, 1)
  const setters = [
    postgresMetrics(gauge, counter, deps),
    serverMetrics(gauge, deps),
    findingMetrics(gauge, deps),
  ]
  return {
    calls: counter('tool_calls_total', 'Tool calls by how they ended.', ['tool', 'outcome']),
    durations: new prom.Histogram({
      name: 'catalyst_tool_call_duration_seconds',
      help: 'Duration of tool calls.',
      labelNames: ['tool'],
      buckets: BUCKETS,
      registers,
    }),
    set: () => {
      for (const set of setters) set()
    },
  }
}

type Make<M> = (name: string, help: string, labelNames?: string[]) => M

/** Counters are PostgreSQL's own: they begin anew when its statistics do. */
function postgresMetrics(gauge: Make<Gauge>, counter: Make<Counter>, { observer }: ExpositionDeps) {
  const up = gauge('postgresql_up', '1 while PostgreSQL answers.')
  const connections = gauge('postgresql_connections', 'Connections of clients.')
  const most = gauge('postgresql_max_connections', 'Connections that ordinary roles may have.')
  const transactions = counter('postgresql_transactions_total', 'Transactions that ended.', [
    'result',
  ])
  const blocks = counter('postgresql_blocks_total', 'Blocks by where they were found.', ['source'])
  const temporary = counter('postgresql_temporary_bytes_total', 'What statements spilled.')
  const deadlocks = counter('postgresql_deadlocks_total', 'Deadlocks.')
  const checkpoints = counter(
    'postgresql_checkpoints_requested_total',
    'Checkpoints forced by WAL.',
  )
  const wal = counter('postgresql_wal_bytes_total', 'Position in the WAL.')
  const blocked = gauge('postgresql_blocked_sessions', 'Sessions that wait for locks.')
  const xid = gauge('postgresql_oldest_xid_age_transactions', 'Age of the oldest transaction id.')
  const lag = gauge('postgresql_replication_lag_seconds', 'Of the replica furthest behind.')
  const slots = gauge(
    'postgresql_slot_retained_bytes',
    'WAL that slots keep, of the one that keeps most.',
  )
  const size = gauge('postgresql_database_size_bytes', 'Size of the database.')
  const dead = gauge('postgresql_dead_rows', 'Rows that vacuum can remove.')
  return () => {
    const { pulse, catalog } = observer
    up.set('value' in pulse ? 1 : 0)
    if ('reason' in pulse) return
    const it = pulse.value
    connections.set(it.connections)
    most.set(it.max_connections - it.reserved_connections)
    setTotal(transactions, it.commits, { result: 'committed' })
    setTotal(transactions, it.rollbacks, { result: 'rolled_back' })
    setTotal(blocks, it.blocks_hit, { source: 'cache' })
    setTotal(blocks, it.blocks_read, { source: 'disk' })
    setTotal(temporary, it.temp_bytes)
    setTotal(deadlocks, it.deadlocks)
    setTotal(checkpoints, it.checkpoints_requested)
    setTotal(wal, it.wal_position ?? 0)
    blocked.set(it.blocked)
    xid.set(it.xid_age)
    lag.set(Math.max(0, ...it.replicas.map(({ lag_seconds }) => lag_seconds ?? 0)))
    slots.set(Math.max(0, ...it.slots.map(({ retained_bytes }) => retained_bytes ?? 0)))
    if ('reason' in catalog) return
    size.set(catalog.value.db_size_bytes)
    dead.set(catalog.value.dead_rows)
  }
}

/** A total that somebody else counts. */
function setTotal(counter: Counter, total: number, labels: Record<string, string> = {}): void {
  counter.remove(labels)
  counter.inc(labels, total)
}

function serverMetrics(gauge: Make<Gauge>, { pool, figures, loops }: ExpositionDeps) {
  const connections = gauge('pool_connections', 'Pooled connections of this server.', ['state'])
  const most = gauge('pool_max_connections', 'Most pooled connections of this server.')
  const waiting = gauge('pool_waiting_calls', 'Calls that wait for a pooled connection.')
  const memory = gauge('cache_memory_bytes', 'Memory of the cache.')
  const hits = gauge(
    'cache_hit_ratio',
    'Reads of the cache that found something, in the last minute.',
  )
  const own = gauge(
    'monitoring_database_seconds_per_minute',
    'Time of the database that monitoring takes in a minute.',
  )
  const rpo = gauge('backup_rpo_seconds', 'Age of the newest data that no backup has.')
  const succeeded = gauge(
    'loop_success_timestamp_seconds',
    'When a round of work in the background went well last.',
    ['loop'],
  )
  const failing = gauge('loop_failing', '1 while work in the background fails.', ['loop'])
  return () => {
    const now = pool()
    connections.set({ state: 'active' }, now.active)
    connections.set({ state: 'idle' }, now.idle)
    most.set(now.max)
    waiting.set(now.waiting)
    const { redis_memory_bytes, redis_hit_ratio, own_db_ms_per_minute, rpo_seconds } = figures()
    set(memory, redis_memory_bytes)
    set(hits, redis_hit_ratio)
    set(own, own_db_ms_per_minute == null ? null : own_db_ms_per_minute / 1_000)
    set(rpo, rpo_seconds)
    for (const { name, succeededAt, failingSince } of loops.all) {
      if (succeededAt) succeeded.set({ loop: name }, succeededAt.getTime() / 1_000)
      failing.set({ loop: name }, failingSince ? 1 : 0)
    }
  }
}

/** What is not known is not there, rather than zero. */
function set(gauge: Gauge, value: number | null | undefined): void {
  if (value == null) gauge.remove()
  else gauge.set(value)
}

function findingMetrics(gauge: Make<Gauge>, { findings }: ExpositionDeps) {
  const all = gauge('findings', 'Findings of monitoring that are held now.', ['check', 'severity'])
  return () => {
    all.reset()
    for (const { check, severity } of findings()) all.inc({ check, severity })
  }
}
