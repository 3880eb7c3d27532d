import type { Answers } from './feeds.js'
import { ago, bound, count, duration, figure, seconds, words } from './format.js'
import type { State } from './parts.js'

type Findings = Answers['findings']
type Finding = Findings['findings'][number]

/** The answer to one of the questions that an operator comes with. */
export interface Answer {
  readonly state: State
  /** What the state is called here, where it has a name of its own. */
  readonly said?: string
  readonly text: string
  readonly facts: readonly (readonly [name: string, value: string])[]
}

const RANK: readonly State[] = ['critical', 'warning', 'info']
const SLOW = ['slow_queries', 'query_regression', 'cache_hit_ratio', 'event_loop_lag', 'temp_files']
const BLOCKING = ['blocking', 'idle_in_transaction', 'long_transaction', 'pool_exhausted']
const RESTORE = ['backup_unverified', 'backup_overdue']
const RPO = ['backup_rpo', 'backup_failing']
/** What there is only so much of. */
const FINITE = [
  'disk_used',
  'connections_used',
  'redis_memory',
  'sequence_exhaustion',
  'xid_wraparound',
  'process_memory',
  'replication_slot_wal',
]

/** Whether it is up. */
export function isUp(status: Answers['status']): Answer {
  const { postgresql, redis, object_store: store, reasons } = status
  const state = STATES[status.status]
  return {
    state,
    said: words(status.status),
    text: postgresql.status === 'up' ? 'Up' : 'Down',
    facts: [
      ...(reasons[0] ? ([['Why', reasons[0]]] as const) : []),
      [
        'PostgreSQL',
        postgresql.status === 'up'
          ? `${postgresql.version} answers in ${duration(postgresql.latency_ms)}`
          : (postgresql.reason ?? 'down'),
      ],
      ['Redis', redis.status],
      ['Object store', store.status],
      ['This server', `for ${seconds(status.uptime_seconds)}`],
    ],
  }
}

const STATES = { healthy: 'ok', degraded: 'warning', unhealthy: 'critical' } as const

/** Whether it is slow. */
export function isSlow(metrics: Answers['metrics'], findings: Findings | null): Answer {
  const worst = worstOf(findings, SLOW)
  const { statement_p95_ms: p95, query_avg_ms: mean, call_p95_ms: calls } = metrics.summary
  const isKnown = typeof p95?.last === 'number'
  return {
    state: worst?.state ?? (isKnown ? 'ok' : 'unknown'),
    text: worst ? worst.finding.title : isKnown ? `p95 ${duration(p95?.last)}` : 'No figures yet',
    facts: [
      ['Mean statement', duration(mean?.last)],
      ['Calls here, p95', duration(calls?.last)],
      ...limits(findings, ['slow_queries', 'cache_hit_ratio']),
    ],
  }
}

/** Who keeps others waiting. */
export function whoBlocks(locks: Answers['locks'], findings: Findings | null): Answer {
  const [root] = locks.trees
  const worst = worstOf(findings, BLOCKING)
  return {
    state: worst?.state ?? (root ? 'info' : 'ok'),
    text: root ? `${root.application_name || 'A session'}, pid ${root.pid}` : 'Nobody',
    facts: [
      ['Waiting sessions', count(locks.blocked)],
      ['Longest wait', root ? duration(locks.longest_wait_ms) : 'none'],
      ...(worst && worst.finding.check !== 'blocking'
        ? ([[words(worst.finding.check), worst.finding.title]] as const)
        : []),
      ...limits(findings, ['idle_in_transaction', 'long_transaction']),
    ],
  }
}

/** What runs out, and when. */
export function whatRunsOut(findings: Findings): Answer {
  const worst = worstOf(findings, FINITE)
  const ending = findings.findings
    .filter(({ trend }) => trend?.eta_seconds !== null && trend?.eta_seconds !== undefined)
    .sort((a, b) => Number(a.trend?.eta_seconds) - Number(b.trend?.eta_seconds))[0]
  const nearest = findings.passed
    .filter(({ check }) => FINITE.includes(check))
    .sort((a, b) => share(b) - share(a))
    .slice(0, worst ? 2 : 3)
  return {
    state: worst?.state ?? (nearest.length > 0 ? 'ok' : 'unknown'),
    text: ending
      ? `${words(ending.check)} in ${seconds(ending.trend?.eta_seconds)}`
      : (worst?.finding.title ?? (nearest.length > 0 ? 'Nothing in sight' : 'No figures yet')),
    facts: [
      ...limits(
        findings,
        nearest.map(({ check }) => check),
      ),
      ...findings.unknown
        .filter(({ check }) => check === 'disk_used')
        .map(({ check, reason }) => [words(check), reason] as const),
    ],
  }
}

const share = ({ value, threshold }: Findings['passed'][number]): number =>
  typeof value === 'number' && typeof threshold === 'number' ? value / threshold : 0

/** When a restore was last proved to work. */
export function lastRestore(
  backups: Answers['backups'],
  findings: Findings | null,
  now: number,
): Answer {
  const { last_drill: drill, last_verified: verified, latest_full: full } = backups
  const worst = worstOf(findings, RESTORE)
  const failed = drill && !drill.valid
  return {
    state: failed ? 'critical' : (worst?.state ?? (drill ? 'ok' : 'unknown')),
    text: drill ? `${ago(drill.at, now)}${failed ? ', and it failed' : ''}` : 'Never',
    facts: [
      ['Took', drill ? duration(drill.restore_ms) : 'not tried yet'],
      ['Verified', verified ? `${verified.level}, ${ago(verified.at, now)}` : 'not yet'],
      ['Full backup', full ? `${ago(full.timestamp, now)}, ${full.size ?? '?'}` : 'none yet'],
      ...limits(findings, ['backup_unverified', 'backup_overdue']),
    ],
  }
}

/** How much would be lost now. */
export function whatWouldBeLost(
  backups: Answers['backups'],
  findings: Findings | null,
  now: number,
): Answer {
  const { rpo_seconds: rpo, covered_until: until, log, store } = backups
  const worst = worstOf(findings, RPO)
  const isKept = backups.latest_full !== null && log.state === 'archiving'
  return {
    state: worst?.state ?? (isKept && rpo !== null ? 'ok' : 'unknown'),
    text: rpo === null ? 'Not known' : seconds(rpo),
    facts: [
      ['Covered until', until ? ago(until, now) : 'nothing is covered'],
      ['Log', log.reason ? `${log.state}: ${log.reason}` : log.state],
      ['Object store', store.reason ? `${store.status}: ${store.reason}` : store.status],
      ...(backups.latest_full
        ? []
        : ([['Restorable', 'nothing before the first full backup']] as const)),
      ...limits(findings, ['backup_rpo']),
    ],
  }
}

const HOUR_MS = 3_600_000

/** What happened in the last hour, commits aside. */
export function whatChanged({ events }: Answers['changes'], now: number): Answer {
  const recent = events.filter(({ at }) => now - Date.parse(at) < HOUR_MS)
  const worst = RANK.find((rank) => recent.some(({ severity }) => severity === rank))
  const kinds = Object.entries(Object.groupBy(recent, ({ type }) => type))
    .sort(([, a], [, b]) => newest(b) - newest(a))
    .slice(0, 4)
  return {
    state: worst === 'info' || !worst ? 'ok' : worst,
    ...(worst === 'info' ? { said: 'Routine' } : !worst ? { said: 'Quiet' } : {}),
    text: recent.length === 0 ? 'Nothing' : `${recent.length} event${recent.length > 1 ? 's' : ''}`,
    facts: kinds.map(([type, some = []]) => [
      some.length > 1 ? `${type} × ${some.length}` : type,
      ago(some.at(-1)?.at, now),
    ]),
  }
}

const newest = (events: readonly { seq: number }[] | undefined): number => events?.at(-1)?.seq ?? 0

/** What waits for somebody to decide. */
export function whatWaits({ recommendations }: Answers['recommendations'], now: number): Answer {
  const waiting = recommendations.length
  return {
    state: waiting > 0 ? 'info' : 'ok',
    said: waiting > 0 ? 'Your turn' : 'OK',
    text: waiting === 0 ? 'Nothing' : `${waiting} recommendation${waiting > 1 ? 's' : ''}`,
    facts: recommendations
      .slice(0, 4)
      .map(({ action, object, expires_at }) => [
        `${words(action)}: ${object}`,
        `ends ${ago(expires_at, now)}`,
      ]),
  }
}

/** The worst finding of some checks, with what it makes of the answer. */
function worstOf(
  findings: Findings | null,
  checks: readonly string[],
): { readonly state: State; readonly finding: Finding } | null {
  for (const state of RANK) {
    const finding = findings?.findings.find(
      ({ check, severity }) => severity === state && checks.includes(check),
    )
    if (finding) return { state, finding }
  }
  return null
}

/** Figures of checks that are well, against what they must be. */
const limits = (findings: Findings | null, checks: readonly string[]) =>
  checks.flatMap((name) => {
    const one = findings?.passed.find(({ check }) => check === name)
    if (!one || one.value === null) return []
    return [[words(name), `${figure(name, one.value)} (${bound(name, one.threshold)})`] as const]
  })
