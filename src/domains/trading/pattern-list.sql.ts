import { type Statement, sql } from '../../platform/postgres/sql.js'
import type { DetectionFilter, DetectionItem } from './patterns.schemas.js'

/** Detections with their outcomes, the newest detected first, one more than a page has. */
export const listDetections = (filter: DetectionFilter) => sql<DetectionItem>`
  select
    d.pattern_id,
    s.symbol,
    d.pattern_type,
    d.timeframe,
    d.direction,
    d.confidence::float8 as confidence,
    d.detected_at,
    trim_scale(d.price)::text as price,
    d.has_catalyst,
    d.catalyst_type,
    d.alignment_score::float8 as alignment_score,
    o.status,
    o.success,
    o.method,
    trim_scale(o.move_bps)::text as move_bps,
    trim_scale(o.minutes)::text as minutes,
    o.position_id,
    o.reason,
    o.updated_at
  from catalyst.pattern_detections d
  join catalyst.pattern_outcomes o on o.pattern_id = d.pattern_id
  join catalyst.securities s on s.security_id = d.security_id
  where true ${conditions(filter)}
  order by d.detected_at desc, d.pattern_id desc
  limit ${filter.limit + 1}::int`

/** Only what was asked for, so that the plan can use what there is an index for. */
function conditions(filter: DetectionFilter): Statement<never> {
  const { symbol, pattern_type, timeframe, status, since, until, stored_since, cursor } = filter
  const parts = [
    symbol &&
      sql`d.security_id = (
        select w.security_id from catalyst.securities w where w.symbol = ${symbol}::text
      )`,
    pattern_type && sql`d.pattern_type = ${pattern_type}::text`,
    timeframe && sql`d.timeframe = ${timeframe}::text`,
    status && sql`o.status = ${status}::text`,
    since && sql`d.detected_at >= ${since}::timestamptz`,
    until && sql`d.detected_at < ${until}::timestamptz`,
    stored_since && sql`o.updated_at >= ${stored_since}::timestamptz`,
    cursor &&
      sql`(d.detected_at, d.pattern_id) < (${cursor[0]}::timestamptz, ${cursor[1]}::bigint)`,
  ]
  return parts.reduce<Statement<never>>(
    (all, part) => (part ? sql`${all}\n    and ${part}` : all),
    sql``,
  )
}
