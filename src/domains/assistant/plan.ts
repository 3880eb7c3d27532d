import type { MaintenanceAction } from '../../lib/maintenance-actions.js'
import { MAINTENANCE_ACTIONS } from '../../lib/maintenance-actions.js'
import { ageSeconds, backupAge, type Measure, tableOf } from './measure.js'
import type { SeenFinding, Snapshot } from './snapshot.js'

/** One thing that could be done, and why; nothing is decided yet. */
export interface Candidate {
  readonly action: MaintenanceAction
  /** What it is about; the same object is left alone for a while afterwards. */
  readonly object: string
  /** Two that touch the same are not done in one round. */
  readonly touches: string | null
  readonly tool: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** One sentence of our own words and figures: no text that came from outside. */
  readonly reason: string
  readonly evidence: Readonly<Record<string, unknown>>
  /** What it goes through; null when that is not known. */
  readonly bytes: number | null
  /** The database will notice it. */
  readonly isHeavy: boolean
  readonly measure: Measure | null
  /** Why nobody but a person may decide on it; null when the policy may. */
  readonly onlyAsked: string | null
}

/** More than these are not looked at in one round: the most urgent come first. */
const MOST = 20
const EACH = 5
const SLOW_MS = 1_000
const SLOW_CALLS = 5
const DEAD_ROWS = 10_000
const DEAD_SHARE = 0.1
const HIT_RATE = 0.8
const ENOUGH_READS = 1_000
const FULL_OVERDUE_SECONDS = 26 * 3_600
const RPO_OVERDUE_SECONDS = 2 * 3_600
const LOCK_WAIT_MS = 60_000
const IDLE_ROOT_MS = 300_000
const SYMBOL = /^[A-Z0-9][A-Z0-9.-]{0,14}$/
const MOST_SYMBOLS = 50

const FINDERS: Readonly<
  Record<MaintenanceAction, (snapshot: Snapshot) => Omit<Candidate, 'action'>[]>
> = {
  create_backup: overdueBackup,
  investigate_pool: exhaustedPool,
  cancel_backend: blockingBackends,
  sync_outcomes: pendingSyncs,
  vacuum_table: deadRows,
  reindex_index: swollenIndexes,
  refresh_statistics: staleStatistics,
  analyze_slow_query: slowQueries,
  warm_cache: coldCache,
}

/** Everything that the picture gives reason to do, the most urgent first, each object of an action once. */
export function candidates(snapshot: Snapshot): Candidate[] {
  const all = MAINTENANCE_ACTIONS.flatMap((action) =>
    FINDERS[action](snapshot)
      .slice(0, EACH)
      .map((found) => ({ action, ...found })),
  )
  return distinct(all).slice(0, MOST)
}

/** Whether the picture could show a reason for this action: else none proves nothing. */
export function couldShow(action: MaintenanceAction, snapshot: Snapshot): boolean {
  const { backups, status, locks, sync, tables, findings, slow, cache } = snapshot
  const needs: Readonly<Record<MaintenanceAction, boolean>> = {
    create_backup: backups.known,
    investigate_pool: status.known,
    cancel_backend: (findings.known || locks.known) && snapshot.connections.known,
    sync_outcomes: sync.known,
    vacuum_table: findings.known || tables.known,
    reindex_index: findings.known,
    refresh_statistics: findings.known,
    analyze_slow_query: slow.known,
    warm_cache: findings.known || cache.known,
  }
  return needs[action]
}

function distinct(all: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>()
  return all.filter(({ action, object }) => {
    const key = JSON.stringify([action, object])
    return !seen.has(key) && seen.add(key)
  })
}

const findingsOf = ({ findings }: Snapshot, ...checks: readonly string[]): SeenFinding[] =>
  findings.known ? findings.value.findings.filter(({ check }) => checks.includes(check)) : []

const evidenceOf = ({ check, severity, evidence }: SeenFinding) => ({
  check,
  severity,
  ...evidence,
})

const PLAIN = { touches: null, bytes: 0, isHeavy: false, measure: null, onlyAsked: null } as const

function overdueBackup(snapshot: Snapshot): Omit<Candidate, 'action'>[] {
  const { backups, status } = snapshot
  if (!backups.known) return []
  const { latest_full, rpo_seconds } = backups.value
  const fullAge = ageSeconds(snapshot, latest_full?.timestamp ?? null)
  const isFullDue = fullAge === null || fullAge > FULL_OVERDUE_SECONDS
  const [finding] = findingsOf(snapshot, 'backup_overdue', 'backup_rpo')
  const isBehind = (rpo_seconds ?? 0) > RPO_OVERDUE_SECONDS
  if (!isFullDue && !isBehind && !finding) return []
  const type = isFullDue ? 'full' : 'incremental'
  const reason = reasonOfBackup(fullAge, isFullDue, rpo_seconds)
  const isFirstElsewhere =
    latest_full === null && (!status.known || status.value.postgresql.engine !== 'embedded')
  return [
    {
      ...PLAIN,
      object: type,
      tool: 'create_backup',
      arguments: { type },
      reason,
      evidence: {
        full_age_seconds: fullAge,
        rpo_seconds,
        newest_backup_age_seconds: backupAge(snapshot),
        ...(finding ? evidenceOf(finding) : {}),
      },
      bytes: isFullDue ? (latest_full?.size_bytes ?? null) : 0,
      measure: { figure: 'backup_age_seconds', better: 'lower', of: type },
      onlyAsked: isFirstElsewhere
        ? 'The first backup of an external database makes a slot and a publication there.'
        : null,
    },
  ]
}

function reasonOfBackup(fullAge: number | null, isFullDue: boolean, rpo: number | null): string {
  if (fullAge === null) return 'There is no full backup.'
  if (isFullDue) return `The newest full backup is ${hours(fullAge)} old.`
  if (rpo !== null) return `A loss now would cost the last ${hours(rpo)}.`
  return 'Monitoring finds that a backup is overdue.'
}

function exhaustedPool(snapshot: Snapshot): Omit<Candidate, 'action'>[] {
  const { status } = snapshot
  const found = findingsOf(snapshot, 'pool_exhausted', 'connections_used')
  const pool = status.known ? status.value.connection_pool : null
  const waiting = pool?.waiting ?? 0
  const isServerFull = found.some(({ check }) => check === 'connections_used')
  if (found.length === 0 && waiting === 0) return []
  return [
    {
      ...PLAIN,
      object: isServerFull ? 'connections' : 'pool',
      tool: 'read_resource',
      arguments: { uri: 'db/performance/connections' },
      reason: isServerFull
        ? 'PostgreSQL is close to refusing logins: who holds its connections?'
        : `${waiting} calls wait for one of ${pool?.max ?? 'the'} pooled connections: who holds them?`,
      evidence: { ...(pool ?? {}), ...(found[0] ? evidenceOf(found[0]) : {}) },
    },
  ]
}

/** Who has to move first where others wait too long: as monitoring found it, else the roots of the trees. */
function blockingBackends(snapshot: Snapshot): Omit<Candidate, 'action'>[] {
  const { connections } = snapshot
  if (!connections.known) return []
  return blockersIn(snapshot).flatMap(({ pid, state, waiting, wait_seconds }) => {
    const backend = connections.value.connection_details.find((one) => one.pid === pid)
    if (!backend || waiting === 0) return []
    const isIdle = state?.startsWith('idle in transaction') ?? false
    return [
      {
        ...PLAIN,
        // A number may be given to another backend; with its start it stands for one alone.
        object: `${pid} since ${backend.connected_at}`,
        touches: `backend ${pid}`,
        tool: 'cancel_backend',
        arguments: { pid, connected_at: backend.connected_at, terminate: isIdle },
        reason: `Backend ${pid} keeps ${waiting} waiting${isIdle ? ' and does nothing itself' : ''}.`,
        evidence: { pid, state, waiting, wait_seconds },
        measure: { figure: 'waits_on', better: 'lower', of: `${pid}` } as const,
        onlyAsked: 'Whose work is ended is for a person to decide.',
      },
    ]
  })
}

interface Blocker {
  readonly pid: number
  readonly state: string | null
  readonly waiting: number
  readonly wait_seconds: number
}

function blockersIn(snapshot: Snapshot): Blocker[] {
  const { findings, locks } = snapshot
  if (findings.known) {
    return findingsOf(snapshot, 'blocking').map(({ evidence }) => ({
      pid: Number(evidence.pid ?? 0),
      state: typeof evidence.state === 'string' ? evidence.state : null,
      waiting: Number(evidence.blocked_sessions ?? 0),
      wait_seconds: Number(evidence.longest_wait_seconds ?? 0),
    }))
  }
  if (!locks.known) return []
  const wait = locks.value.longest_wait_ms ?? 0
  return locks.value.trees.flatMap(({ pid, state, transaction_age_ms: age, blocks }) => {
    const isIdle = state?.startsWith('idle in transaction') ?? false
    const isLong = wait > LOCK_WAIT_MS || (isIdle && (age ?? 0) > IDLE_ROOT_MS)
    return isLong ? [{ pid, state, waiting: blocks.length, wait_seconds: wait / 1_000 }] : []
  })
}

function pendingSyncs({ sync }: Snapshot): Omit<Candidate, 'action'>[] {
  if (!sync.known) return []
  const { catalyst_outcomes, source_metrics, pattern_outcomes } = sync.value
  const one = (tool: string, pending: number, what: string): Omit<Candidate, 'action'>[] =>
    pending <= 0
      ? []
      : [
          {
            ...PLAIN,
            object: tool,
            tool,
            arguments: {},
            reason: `${pending} ${what}.`,
            evidence: { pending },
            isHeavy: true,
            measure: { figure: 'pending', better: 'lower', of: tool },
          },
        ]
  return [
    ...one(
      'sync_catalyst_outcomes',
      catalyst_outcomes.pending_updates,
      'closed positions have not been learned from',
    ),
    ...one(
      'sync_source_metrics',
      source_metrics.pending_calculations,
      'sources have evidence that is not in their figures',
    ),
    ...one(
      'sync_pattern_outcomes',
      pattern_outcomes.due_outcomes,
      'patterns are due to be decided',
    ),
  ]
}

function deadRows(snapshot: Snapshot): Omit<Candidate, 'action'>[] {
  const found = findingsOf(snapshot, 'dead_rows', 'table_bloat')
  const { tables } = snapshot
  const named = found.flatMap((finding) =>
    finding.object === null ? [] : { table: finding.object, evidence: evidenceOf(finding) },
  )
  // What monitoring leaves to autovacuum is left to it.
  const unjudged = tables.known && !snapshot.findings.known ? tables.value.tables : []
  const full = unjudged.filter(({ rows, dead_rows }) => {
    const dead = dead_rows ?? 0
    return dead > DEAD_ROWS && dead > (dead + (rows ?? 0)) * DEAD_SHARE
  })
  const seen = full
    .sort((a, b) => (b.dead_rows ?? 0) - (a.dead_rows ?? 0))
    .map(({ name, rows, dead_rows }) => ({ table: name, evidence: { rows, dead_rows } }))
  return [...named, ...seen].map(({ table, evidence }) => ({
    ...PLAIN,
    object: table,
    touches: table,
    tool: 'optimize_tables',
    arguments: { tables: [table], operations: ['vacuum', 'analyze'] },
    reason: 'Many rows of the table are dead: their space can be used again after a vacuum.',
    evidence,
    bytes: tableOf(snapshot, table)?.size_bytes ?? null,
    isHeavy: true,
    measure: { figure: 'dead_rows', better: 'lower', of: table },
  }))
}

function swollenIndexes(snapshot: Snapshot): Omit<Candidate, 'action'>[] {
  return findingsOf(snapshot, 'index_bloat', 'invalid_index').flatMap((finding) => {
    const { object, check, evidence } = finding
    const table = evidence.table
    if (object === null || typeof table !== 'string') return []
    return {
      ...PLAIN,
      object,
      touches: table,
      tool: 'optimize_tables',
      arguments: { tables: [table], operations: ['reindex'] },
      reason:
        check === 'invalid_index'
          ? 'The index is invalid: it costs writes and serves no query until it is built again.'
          : 'Much of the index is empty: built again it is smaller.',
      evidence: evidenceOf(finding),
      bytes: sizeIn(evidence) ?? tableOf(snapshot, table)?.size_bytes ?? null,
      isHeavy: true,
      measure: { figure: 'size_bytes', better: 'lower', of: table } as const,
    }
  })
}

function staleStatistics(snapshot: Snapshot): Omit<Candidate, 'action'>[] {
  return findingsOf(snapshot, 'stale_statistics').flatMap((finding) => {
    const { object } = finding
    if (object === null) return []
    return {
      ...PLAIN,
      object,
      touches: object,
      tool: 'update_statistics',
      arguments: { tables: [object] },
      reason: 'The planner judges the table by statistics that are no longer true.',
      evidence: evidenceOf(finding),
      // A sample is read, whatever the table's size.
      isHeavy: true,
      measure: { figure: 'statistics_age_seconds', better: 'lower', of: object } as const,
    }
  })
}

/** Queries are known by their number; their text goes to the tool and nowhere else. */
function slowQueries({ slow }: Snapshot): Omit<Candidate, 'action'>[] {
  if (!slow.known) return []
  const total = (one: (typeof slow.value.queries)[number]) =>
    one.total_time_ms ?? one.avg_time_ms * one.calls
  return slow.value.queries
    .filter(
      ({ query, avg_time_ms, calls }) => query && avg_time_ms >= SLOW_MS && calls >= SLOW_CALLS,
    )
    .sort((a, b) => total(b) - total(a))
    .map((one) => ({
      ...PLAIN,
      object: `query ${one.queryid.slice(0, 40)}`,
      tool: 'analyze_query',
      arguments: { query: one.query ?? '', analyze: false },
      reason: `It takes ${Math.round(one.avg_time_ms)} ms on average and was called ${one.calls} times.`,
      evidence: {
        queryid: one.queryid,
        avg_time_ms: one.avg_time_ms,
        calls: one.calls,
        total_time_ms: total(one),
      },
    }))
}

function coldCache(snapshot: Snapshot): Omit<Candidate, 'action'>[] {
  const [finding] = findingsOf(snapshot, 'redis_hit_ratio')
  const { cache, held } = snapshot
  const types = cache.known ? Object.values(cache.value.redis_info.by_cache_type) : []
  const hits = types.reduce((sum, type) => sum + type.hits, 0)
  const reads = types.reduce((sum, type) => sum + type.hits + type.misses, 0)
  const isLow = reads >= ENOUGH_READS && hits < reads * HIT_RATE
  if (!finding && !isLow) return []
  const symbols = (held.known ? held.value.items : [])
    .map(({ symbol }) => symbol ?? '')
    .filter((symbol) => SYMBOL.test(symbol))
  const asked = [...new Set(symbols)].sort().slice(0, MOST_SYMBOLS)
  if (asked.length === 0) return []
  return [
    {
      ...PLAIN,
      object: 'cache',
      tool: 'warm_cache',
      arguments: {
        symbols: asked,
        cache_types: ['news', 'sentiment', 'indicators', 'patterns'],
      },
      reason: `Too few reads find their answer in the cache; ${asked.length} symbols with open positions can be warmed.`,
      evidence: { hits, reads, ...(finding ? evidenceOf(finding) : {}) },
      isHeavy: true,
      measure: { figure: 'hit_rate', better: 'higher', of: 'cache' },
    },
  ]
}

const sizeIn = (evidence: Readonly<Record<string, unknown>>): number | null => {
  const { size_bytes } = evidence
  return typeof size_bytes === 'number' ? size_bytes : null
}

const hours = (seconds: number): string =>
  seconds < 7_200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3_600)} hours`
