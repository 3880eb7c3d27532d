import type { MaintenanceAction } from '../../lib/maintenance-actions.js'
import { type Snapshot, unknowns } from './snapshot.js'
import type { LedgerRow } from './sql.js'

/** The word for how the database is. */
type Verdict = 'healthy' | 'degraded' | 'unhealthy'

/** One action as a report tells of it. */
export interface ReportedAction
  extends Pick<
    LedgerRow,
    | 'action'
    | 'object'
    | 'tool'
    | 'arguments'
    | 'reason'
    | 'evidence'
    | 'why'
    | 'before'
    | 'after'
    | 'outcome'
    | 'recommendation_id'
  > {
  readonly action_id: string | null
  readonly decision: 'done' | 'failed' | 'proposed' | 'skipped' | 'would_do'
}

/** One finding of monitoring as a report tells of it. */
interface ReportedFinding {
  readonly check: string
  readonly severity: 'critical' | 'warning' | 'info'
  readonly object: string | null
  readonly title: string
  readonly evidence: Record<string, unknown>
  readonly next_step: string | null
}

/** What one round came to. */
export interface Report {
  readonly report_id: string
  readonly at: string
  readonly dry_run: boolean
  readonly verdict: Verdict
  readonly summary: string
  readonly findings: ReportedFinding[]
  readonly actions: ReportedAction[]
  readonly backups: Record<string, unknown>
  readonly sync: Record<string, unknown>
  readonly changes_since_last: string[]
  readonly unknown: { what: string; reason: string }[]
  readonly disabled: MaintenanceAction[]
  readonly next_run: string | null
}

/** What was found by the report before. */
export type LastReport = Pick<Report, 'verdict' | 'findings' | 'at'> | null

const MOST_LINES = 60
const MOST_FINDINGS = 50
const SHOWN = { findings: 12, actions: 16, unknown: 6, changes: 6 }

/** Writes the report of a round. */
export function reportOf(round: {
  readonly report_id: string
  readonly dry_run: boolean
  readonly snapshot: Snapshot
  readonly actions: readonly ReportedAction[]
  readonly disabled: readonly MaintenanceAction[]
  readonly last: LastReport
  readonly next_run: string | null
}): Report {
  const { snapshot, last, actions } = round
  const { status, findings, backups, sync } = snapshot
  const found = findings.known ? findings.value.findings.slice(0, MOST_FINDINGS) : []
  const report = {
    report_id: round.report_id,
    at: snapshot.at,
    dry_run: round.dry_run,
    verdict: status.known ? status.value.status : ('degraded' as const),
    findings: found.map(({ check, severity, object, title, evidence, next_step }) => ({
      check,
      severity,
      object,
      title,
      evidence,
      next_step: next_step ?? null,
    })),
    actions: [...actions],
    backups: told(backups),
    sync: told(sync),
    unknown: unknowns(snapshot),
    disabled: [...round.disabled],
    next_run: round.next_run,
  }
  const changes_since_last = changes(last, report)
  return {
    ...report,
    changes_since_last,
    summary: inMarkdown(snapshot, { ...report, changes_since_last }),
  }
}

const told = (seen: { known: boolean; value?: unknown; reason?: string }) =>
  seen.known ? { ...Object(seen.value) } : { unavailable_reason: seen.reason }

function changes(last: LastReport, now: Pick<Report, 'verdict' | 'findings'>): string[] {
  if (!last) return []
  const key = ({ check, object }: ReportedFinding) => JSON.stringify([check, object])
  const were = new Map(last.findings.map((finding) => [key(finding), finding]))
  const are = new Map(now.findings.map((finding) => [key(finding), finding]))
  const from = (all: typeof were, others: typeof were, word: string) =>
    [...all].filter(([id]) => !others.has(id)).map(([, { title }]) => `${word}: ${line(title)}`)
  return [
    ...(last.verdict === now.verdict ? [] : [`It was ${last.verdict} and is ${now.verdict}.`]),
    ...from(are, were, 'New'),
    ...from(were, are, 'Over'),
  ]
}

function inMarkdown(snapshot: Snapshot, report: Omit<Report, 'summary'>): string {
  const { findings, actions, unknown, changes_since_last, disabled } = report
  const lines = [
    `# Database maintenance: ${report.verdict}`,
    `${report.at} · ${report.report_id}${report.dry_run ? ' · dry run: nothing was done' : ''}`,
    ...health(snapshot),
    ...section(
      'Findings',
      findings,
      SHOWN.findings,
      (one) => `${one.severity} · ${line(one.title)}`,
    ),
    ...section('Actions', actions, SHOWN.actions, actionLine),
    ...section('Changes since the last report', changes_since_last, SHOWN.changes, line),
    ...(disabled.length > 0
      ? [`Disabled because they made things worse: ${disabled.join(', ')}.`]
      : []),
    ...section('Not known', unknown, SHOWN.unknown, (one) => `${one.what}: ${line(one.reason)}`),
    `Next round: ${report.next_run ?? 'when it is asked for'}.`,
  ]
  return lines.slice(0, MOST_LINES).join('\n')
}

/** One list with its heading; empty ones say so where that is news. */
function section<T>(
  title: string,
  items: readonly T[],
  most: number,
  text: (item: T) => string,
): string[] {
  if (items.length === 0)
    return title === 'Findings' || title === 'Actions' ? [`## ${title}: none`] : []
  const more = items.length - most
  return [
    `## ${title} (${items.length})`,
    ...items.slice(0, most).map((item) => `- ${text(item)}`),
    ...(more > 0 ? [`- and ${more} more`] : []),
  ]
}

function health({ status, cache, slow, backups, sync }: Snapshot): string[] {
  const lines: string[] = []
  if (status.known) {
    const { postgresql, redis, connection_pool: pool, replication_lag: lag, reasons } = status.value
    const hit = cache.known ? cache.value.redis_info.hit_rate : null
    const behind = lag?.max_lag_seconds ?? null
    lines.push(
      [
        `PostgreSQL ${line(postgresql.version ?? '')} ${postgresql.status}`.replace('  ', ' '),
        `cache ${redis.status}${hit === null ? '' : `, hit rate ${Math.round(hit * 100)} %`}`,
        `pool ${pool.active}/${pool.max} in use, ${pool.waiting} waiting`,
        behind === null ? 'no replication lag' : `replication ${Math.round(behind)} s behind`,
      ].join('; '),
    )
    lines.push(...reasons.slice(0, 5).map((reason) => `- ${line(reason)}`))
  }
  if (slow.known) lines.push(`Slow queries: ${slow.value.queries.length}.`)
  if (backups.known) {
    const { latest_full, rpo_seconds, last_verified } = backups.value
    lines.push(
      `Backups: newest full ${latest_full?.timestamp ?? 'none'}; a loss now would cost ${rpo_seconds === null ? 'an unknown time' : `${Math.round(rpo_seconds)} s`}; last verified ${last_verified?.at ?? 'never'}.`,
    )
  }
  if (sync.known) {
    lines.push(`Sync: ${sync.value.has_pending ? 'there is something to learn' : 'nothing waits'}.`)
  }
  return lines
}

function actionLine(one: ReportedAction): string {
  const { action, object, decision, reason, why, before, after, outcome } = one
  const figure = Object.keys(before ?? {})[0]
  const measured =
    figure && before && after?.[figure] !== undefined
      ? ` ${figure} ${figureText(before[figure])} → ${figureText(after[figure])}`
      : ''
  const ending = outcome === null ? '' : ` ${outcome.replace('_', ' ')}`
  const waits = one.recommendation_id ? ` (${one.recommendation_id})` : ''
  return line(
    `${decision.replace('_', ' ')} · ${action} ${object}: ${reason}${measured}${ending ? ` ·${ending}` : ''} ${decision === 'done' ? '' : why}${waits}`,
  )
}

const figureText = (value: unknown): string =>
  typeof value === 'number' ? `${Math.round(value * 100) / 100}` : 'unknown'

/** One line of plain words: names of tables come from outside, and may be anything. */
const line = (text: unknown): string =>
  String(text)
    .replaceAll(/[\s\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[`<>[\]|]/g, "'")
    .trim()
    .slice(0, 300)
