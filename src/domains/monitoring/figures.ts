import type { CallTally } from './call-tally.js'
import type { ProcessWatch } from './checks/server.js'
import type { Observer } from './observer.js'
import type { Figures } from './series.js'
import { percentile } from './statement-deltas.js'

/** Where figures come from. */
export interface FigureSources {
  readonly observer: Observer
  readonly process: ProcessWatch
  readonly calls: CallTally
  readonly pool: () => { readonly active: number; readonly waiting: number }
  readonly cache: () => { readonly memoryBytes: number | null; readonly hitRatio: number | null }
  readonly rpoSeconds: () => number | null
  readonly sampleMs: number
}

/** The figures of the sample just taken. What is counted covers the time since the sample before. */
export function figuresOf({
  observer,
  process,
  calls,
  pool,
  cache,
  rpoSeconds,
  sampleMs,
}: FigureSources): Figures {
  const { active, waiting } = pool()
  const { memoryBytes, hitRatio } = cache()
  const { calls: called, errors, p95Ms } = calls.minute
  const own: Figures = {
    pool_active: active,
    pool_waiting: waiting,
    redis_hit_ratio: hitRatio,
    redis_memory_bytes: memoryBytes,
    calls_per_minute: called,
    errors_per_minute: errors,
    call_p95_ms: p95Ms,
    event_loop_p99_ms: process.delayMs,
    process_memory_bytes: process.memory.used,
    rpo_seconds: rpoSeconds(),
    own_db_ms_per_minute: observer.ownMsPerMinute,
  }
  const { pulse, catalog, statements } = observer
  if ('reason' in pulse) return own
  const window = observer.window((sampleMs * 1.5) / 1_000)
  const use = 'value' in statements ? statements.value.use(60) : null
  const lags = pulse.value.replicas.flatMap(({ lag_seconds }) => lag_seconds ?? [])
  const oldest = pulse.value.sessions.map(({ transaction_seconds }) => transaction_seconds ?? 0)
  return {
    ...own,
    ...(window ? rates(window) : {}),
    query_avg_ms: use && use.calls > 0 ? use.total_ms / use.calls : null,
    statement_p95_ms: use && percentile(use, 0.95),
    connections: pulse.value.connections,
    db_size_bytes: 'value' in catalog ? catalog.value.db_size_bytes : null,
    dead_rows: 'value' in catalog ? catalog.value.dead_rows : null,
    replication_lag_seconds: lags.length > 0 ? Math.max(...lags) : null,
    blocked_sessions: pulse.value.blocked,
    oldest_transaction_seconds: Math.max(0, ...oldest),
  }
}

function rates(window: NonNullable<ReturnType<Observer['window']>>): Figures {
  const { seconds, commits, rollbacks, blocks_hit, blocks_read } = window
  const ended = commits + rollbacks
  const blocks = blocks_hit + blocks_read
  return {
    tps: ended / seconds,
    rollback_ratio: ended === 0 ? null : rollbacks / ended,
    cache_hit_ratio: blocks === 0 ? null : blocks_hit / blocks,
    wal_bytes_per_second: window.wal_bytes / seconds,
    temp_bytes_per_second: window.temp_bytes / seconds,
    deadlocks: (window.deadlocks / seconds) * 60,
    checkpoints_requested: (window.checkpoints_requested / seconds) * 60,
  }
}
