import type {
  DECISIONS,
  MaintenanceAction,
  MaintenanceOutcome,
} from '../../lib/maintenance-actions.js'
import type { PageKey } from '../../lib/page.js'
import { sql } from '../../platform/postgres/sql.js'
import type { History, PastRecommendation } from './gate.js'
import type { Figures, Measure } from './measure.js'
import type { Candidate } from './plan.js'

/** What is known of the one who acts. */
export interface Standing {
  readonly now: string
  readonly fence: number
  readonly lease_until: string | null
  readonly first_round_at: string | null
  readonly stopped_at: string | null
  readonly enabled: History['enabledAt']
}

/** A row of the ledger. */
export interface LedgerRow {
  readonly action_id: string
  readonly at: string
  readonly action: MaintenanceAction
  readonly object: string
  readonly tool: string
  readonly arguments: Record<string, unknown>
  readonly reason: string
  readonly evidence: Record<string, unknown>
  readonly decision: 'running' | (typeof DECISIONS)[number]
  readonly why: string
  readonly measure: Measure | null
  readonly before: Figures | null
  readonly after: Record<string, unknown> | null
  readonly outcome: MaintenanceOutcome | null
  readonly recommendation_id: string | null
  readonly report_id: string | null
  readonly finished_at: string | null
}

/** A recommendation as it is shown, with the figure that it will be judged by. */
export interface RecommendationRow {
  readonly recommendation_id: string
  readonly action: MaintenanceAction
  readonly object: string
  readonly tool: string
  readonly arguments: Record<string, unknown>
  readonly reason: string
  readonly evidence: Record<string, unknown>
  readonly measure: Measure | null
  readonly created_at: string
  readonly expires_at: string
  readonly status: 'open' | 'approved' | 'denied' | 'expired' | 'superseded'
  readonly decided_at: string | null
  readonly decided_by: string | null
  readonly decided_reason: string | null
  readonly result: Record<string, unknown> | null
}

/** What is to be written of an action. */
export interface NewLedgerRow
  extends Pick<Candidate, 'action' | 'object' | 'tool' | 'arguments' | 'reason' | 'evidence'> {
  readonly action_id: string
  readonly report_id: string | null
  readonly recommendation_id: string | null
  readonly at: string
  readonly fence: number
  readonly decision: LedgerRow['decision']
  readonly why: string
  readonly measure: Measure | null
  readonly before: Figures | null
}

const ledgerColumns = sql.trusted(`
  action_id, at, action, object, tool, arguments, reason, evidence, decision, why, measure, before,
  after, outcome, recommendation_id, report_id, finished_at`)

const recommendationColumns = sql.trusted(`
  recommendation_id, action, object, tool, arguments, reason, evidence, measure, created_at,
  expires_at,
  case when status = 'open' and expires_at <= now() then 'expired' else status end as status,
  decided_at, decided_by, decided_reason, result`)

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value))

/** Who acts, since when, and whether anybody may. */
export const standing = () => sql<Standing>`
  select clock_timestamp() as now, fence, lease_until, first_round_at, stopped_at, enabled
  from catalyst.assistant`

/** Takes the lease when it is free; its fence is good as long as nobody takes it after. */
export const takeLease = (serverId: string, seconds: number, at: string) => sql<Standing>`
  update catalyst.assistant
  set
    fence = fence + 1,
    server_id = ${serverId}::text,
    lease_until = clock_timestamp() + make_interval(secs => ${seconds}::float8),
    first_round_at = coalesce(first_round_at, ${at}::timestamptz)
  where lease_until is null
    or lease_until < clock_timestamp()
  returning clock_timestamp() as now, fence, lease_until, first_round_at, stopped_at, enabled`

/** Keeps the lease; no row when it is another's, or when the emergency stop was pulled. */
export const keepLease = (fence: number, seconds: number) => sql<{ fence: number }>`
  update catalyst.assistant
  set lease_until = clock_timestamp() + make_interval(secs => ${seconds}::float8)
  where fence = ${fence}::bigint
    and lease_until is not null
    and stopped_at is null
  returning fence`

/** Gives the lease back. */
export const endLease = (fence: number) => sql`
  update catalyst.assistant
  set lease_until = null
  where fence = ${fence}::bigint`

/** Pulls the emergency stop, or lets go of it. */
export const setStopped = (isStopped: boolean) => sql`
  update catalyst.assistant
  set stopped_at = case when ${isStopped}::boolean then coalesce(stopped_at, clock_timestamp()) end`

/** Lets an action be done again that was disabled. */
export const enableAction = (action: MaintenanceAction) => sql`
  update catalyst.assistant
  set enabled = enabled
    || jsonb_build_object(
      ${action}::text, to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))`

/** Writes a row of the ledger. */
export const insertAction = (row: NewLedgerRow) => sql`
  insert into catalyst.assistant_actions
    (action_id, report_id, recommendation_id, at, fence, action, object, tool, arguments, reason,
     evidence, decision, why, measure, before, finished_at)
  values (
    ${row.action_id}::text,
    ${row.report_id}::text,
    ${row.recommendation_id}::text,
    ${row.at}::timestamptz,
    ${row.fence}::bigint,
    ${row.action}::text,
    ${row.object}::text,
    ${row.tool}::text,
    ${json(row.arguments)}::json,
    ${row.reason}::text,
    ${json(row.evidence)}::json,
    ${row.decision}::text,
    ${row.why}::text,
    ${json(row.measure)}::json,
    ${json(row.before)}::json,
    case when ${row.decision}::text <> 'running' then ${row.at}::timestamptz end
  )`

/** What became of an action that runs; no row when somebody has written that already. */
export const finishAction = (
  actionId: string,
  end: Pick<
    LedgerRow,
    'decision' | 'why' | 'before' | 'after' | 'outcome' | 'recommendation_id'
  > & {
    readonly at: string
  },
) => sql`
  update catalyst.assistant_actions
  set
    decision = ${end.decision}::text,
    why = ${end.why}::text,
    before = ${json(end.before)}::json,
    after = ${json(end.after)}::json,
    outcome = ${end.outcome}::text,
    recommendation_id = coalesce(${end.recommendation_id}::text, recommendation_id),
    finished_at = greatest(at, ${end.at}::timestamptz)
  where action_id = ${actionId}::text
    and decision = 'running'`

/** Says of what other holders of the lease had begun that nobody knows its end. */
export const abandonActions = (fence: number, why: string) => sql<LedgerRow>`
  update catalyst.assistant_actions
  set decision = 'failed', why = ${why}::text, finished_at = clock_timestamp()
  where decision = 'running'
    and (
      (recommendation_id is null and fence < ${fence}::bigint)
      -- What a person has approved is followed by the server that was asked, for hours perhaps.
      or at < now() - interval '1 day'
    )
  returning ${ledgerColumns}`

/** Actions whose effect could not be told yet. */
export const unsettledActions = (since: string) => sql<LedgerRow>`
  select ${ledgerColumns}
  from catalyst.assistant_actions
  where decision in ('done', 'failed')
    and outcome is null
    and measure is not null
    and before is not null
    and at > ${since}::timestamptz
  order by at
  limit 50`

/** The effect of an action, once it can be told. */
export const settleAction = (
  actionId: string,
  after: Record<string, unknown>,
  outcome: MaintenanceOutcome,
) => sql`
  update catalyst.assistant_actions
  set after = ${json(after)}::json, outcome = ${outcome}::text
  where action_id = ${actionId}::text
    and outcome is null`

/** What was done or tried. */
export const pastActions = (since: string) => sql<
  Pick<LedgerRow, 'action' | 'object' | 'at' | 'outcome'>
>`
  select action, object, at, outcome
  from catalyst.assistant_actions
  where decision in ('running', 'done', 'failed')
    and at > ${since}::timestamptz`

/** What waits for a person, and what one has denied. */
export const pastRecommendations = (since: string) => sql<PastRecommendation>`
  select recommendation_id, action, object, tool, arguments, status,
    coalesce(decided_at, created_at) as at
  from catalyst.assistant_recommendations
  where status = 'open'
    or (status = 'denied' and decided_at > ${since}::timestamptz)`

/** Lets go of what nobody has decided in time. */
export const expireRecommendations = (at: string) => sql`
  update catalyst.assistant_recommendations
  set status = 'expired', decided_at = ${at}::timestamptz
  where status = 'open'
    and expires_at <= ${at}::timestamptz`

/** Withdraws recommendations whose reason is gone. */
export const supersede = (ids: readonly string[], at: string, reason: string) => sql`
  update catalyst.assistant_recommendations
  set
    status = 'superseded',
    decided_at = ${at}::timestamptz,
    decided_reason = ${reason}::text
  where recommendation_id = any(${ids}::text[])
    and status = 'open'`

/** Puts something to whoever decides; what is open for the same object stays as it is. */
export const insertRecommendation = (
  row: Pick<
    RecommendationRow,
    | 'recommendation_id'
    | 'action'
    | 'object'
    | 'tool'
    | 'reason'
    | 'measure'
    | 'created_at'
    | 'expires_at'
  > &
    Pick<Candidate, 'arguments' | 'evidence'>,
) => sql<{ recommendation_id: string }>`
  insert into catalyst.assistant_recommendations
    (recommendation_id, action, object, tool, arguments, reason, evidence, measure, created_at,
     expires_at)
  values (
    ${row.recommendation_id}::text,
    ${row.action}::text,
    ${row.object}::text,
    ${row.tool}::text,
    ${json(row.arguments)}::json,
    ${row.reason}::text,
    ${json(row.evidence)}::json,
    ${json(row.measure)}::json,
    ${row.created_at}::timestamptz,
    ${row.expires_at}::timestamptz
  )
  on conflict (action, object) where status = 'open' do nothing
  returning recommendation_id`

/** A recommendation. */
export const findRecommendation = (id: string) => sql<RecommendationRow>`
  select ${recommendationColumns}
  from catalyst.assistant_recommendations
  where recommendation_id = ${id}::text`

/** Decides on a recommendation; no row when it waits no more. */
export const decide = (
  id: string,
  decision: {
    readonly status: 'approved' | 'denied'
    readonly by: string
    readonly reason: string | null
    readonly at: string
  },
) => sql<RecommendationRow>`
  update catalyst.assistant_recommendations
  set
    status = ${decision.status}::text,
    decided_at = ${decision.at}::timestamptz,
    decided_by = ${decision.by}::text,
    decided_reason = ${decision.reason}::text
  where recommendation_id = ${id}::text
    and status = 'open'
    and expires_at > now()
  returning ${recommendationColumns}`

/** What came of an approved recommendation. */
export const keepResult = (id: string, result: unknown) => sql`
  update catalyst.assistant_recommendations
  set result = ${json(result)}::json
  where recommendation_id = ${id}::text`

/** Keeps a report. */
export const insertReport = (report: {
  readonly report_id: string
  readonly at: string
  readonly verdict: string
  readonly dry_run: boolean
}) => sql`
  insert into catalyst.assistant_reports (report_id, at, verdict, dry_run, report)
  values (
    ${report.report_id}::text,
    ${report.at}::timestamptz,
    ${report.verdict}::text,
    ${report.dry_run}::boolean,
    ${json(report)}::jsonb
  )`

/** The newest report. */
export const latestReport = () => sql<{ report: Record<string, unknown> }>`
  select report
  from catalyst.assistant_reports
  order by at desc, report_id desc
  limit 1`

/** Forgets reports and actions of long ago. */
export const forgetReports = (before: string) => sql`
  delete from catalyst.assistant_reports
  where at < ${before}::timestamptz`
export const forgetActions = (before: string) => sql`
  delete from catalyst.assistant_actions
  where at < ${before}::timestamptz
    and decision <> 'running'`
export const forgetRecommendations = (before: string) => sql`
  delete from catalyst.assistant_recommendations
  where created_at < ${before}::timestamptz
    and status <> 'open'`

const after = (cursor: PageKey | undefined, columns: readonly [string, string]) => {
  const [at = null, id = null]: readonly (string | null)[] = cursor ?? []
  return sql`
    (${at}::timestamptz is null
      or (${sql.trusted(columns[0])}, ${sql.trusted(columns[1])})
        < (${at}::timestamptz, ${id}::text collate "C"))`
}

/** Reports, the newest first. */
export const listReports = (limit: number, cursor: PageKey | undefined) => sql<{
  report_id: string
  at: string
  verdict: 'healthy' | 'degraded' | 'unhealthy'
  dry_run: boolean
  actions: number
  findings: number
}>`
  select report_id, at, verdict, dry_run,
    jsonb_array_length(report -> 'actions') as actions,
    jsonb_array_length(report -> 'findings') as findings
  from catalyst.assistant_reports
  where ${after(cursor, ['at', 'report_id'])}
  order by at desc, report_id desc
  limit ${limit + 1}::int`

/** The ledger, the newest first. */
export const listActions = (limit: number, cursor: PageKey | undefined) => sql<LedgerRow>`
  select ${ledgerColumns}
  from catalyst.assistant_actions
  where ${after(cursor, ['at', 'action_id'])}
  order by at desc, action_id desc
  limit ${limit + 1}::int`

/** Recommendations, the newest first. */
export const listRecommendations = (
  status: string | null,
  limit: number,
  cursor: PageKey | undefined,
) => sql<RecommendationRow>`
  select *
  from (select ${recommendationColumns} from catalyst.assistant_recommendations) as shown
  where (${status}::text is null or status = ${status}::text)
    and ${after(cursor, ['created_at', 'recommendation_id'])}
  order by created_at desc, recommendation_id desc
  limit ${limit + 1}::int`
