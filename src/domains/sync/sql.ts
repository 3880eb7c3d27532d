import { type Statement, sql } from '../../platform/postgres/sql.js'

/** The syncs, as sync_state and the event call them. */
export type SyncName = 'catalyst_outcomes' | 'source_metrics' | 'pattern_outcomes'

/**
 * Lets one batch of a sync run at a time, on all servers. To be taken before anything is read: what
 * the batch before has committed is then seen.
 */
export const takeTurn = (sync: SyncName) =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`catalyst.sync.${sync}`}::text, 0))::text`

/** Notes that a sync begins. */
export const noteStart = (sync: SyncName) => sql`
  update catalyst.sync_state
  set last_started_at = clock_timestamp()
  where sync = ${sync}::text`

/** Notes that a sync has come to its end, and what it did. */
export const noteEnd = (sync: SyncName, result: unknown) => sql`
  update catalyst.sync_state
  set last_completed_at = clock_timestamp(), last_result = ${JSON.stringify(result)}::jsonb
  where sync = ${sync}::text`

/** What each sync has still to do, and when it last came to its end. */
export interface StatusRow {
  readonly pending_updates: number
  readonly outcomes_at: string | null
  readonly watermark_at: string | null
  readonly pending_calculations: number
  readonly metrics_at: string | null
  readonly pending_outcomes: number
  readonly due_outcomes: number
  readonly patterns_at: string | null
}

/**
 * Counted on the partial indexes of what is left. A pattern is due once the time in which a position
 * could tell its outcome is over, and again when evidence of its outcome is stored afterwards.
 */
export const selectStatus = (
  paramsVersion: string,
  linkMinutes: number,
  reviews: Statement<{ reviews: number }>,
) => sql<StatusRow>`
  select
    (
      select count(*)
      from catalyst.positions
      where status = 'closed' and learned_at is null
    ) as pending_updates,
    (
      select count(*)
      from (
        select source_id
        from catalyst.source_changes
        union
        select source_id
        from catalyst.source_metrics
        where n_eff > 0 and params_version is distinct from ${paramsVersion}::text
      ) changed
    ) as pending_calculations,
    pending.outcomes as pending_outcomes,
    pending.due + reviews.reviews as due_outcomes,
    outcomes.last_completed_at as outcomes_at,
    outcomes.watermark_at,
    metrics.last_completed_at as metrics_at,
    patterns.last_completed_at as patterns_at
  from (
    select
      count(*) as outcomes,
      count(*) filter (
        where d.detected_at < now() - make_interval(secs => ${linkMinutes}::float8 * 60)
      ) as due
    from catalyst.pattern_outcomes o
    join catalyst.pattern_detections d on d.pattern_id = o.pattern_id
    where o.status = 'pending'
  ) pending
  cross join (${reviews}) reviews
  join catalyst.sync_state outcomes on outcomes.sync = 'catalyst_outcomes'
  join catalyst.sync_state metrics on metrics.sync = 'source_metrics'
  join catalyst.sync_state patterns on patterns.sync = 'pattern_outcomes'`
