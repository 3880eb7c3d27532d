import { instantText } from '../../lib/utc-text.js'
import { exact } from './series.js'
import type { StatementUse } from './statement-deltas.js'
import { othersOf, type View } from './view.js'

/** What is asked for. */
export interface SlowQueriesQuery {
  readonly threshold_ms: number
  readonly limit: number
}

/** Before it has looked for so long, a server shows what PostgreSQL had counted before. */
const OWN_SECONDS = 3_600
const DAY_SECONDS = 86_400
const RECENT_SECONDS = 600
/** A text of a statement is for reading; PostgreSQL has all of it under its queryid. */
const MOST_CHARACTERS = 2_000
/** All texts of an answer together, so that a model can read it whole. */
const ALL_CHARACTERS = 4_000

/** Statements whose mean time is at least the threshold, those that take most time first. */
export function slowQueriesOf(view: View, { threshold_ms, limit }: SlowQueriesQuery) {
  const { statements } = view
  if ('reason' in statements) {
    return { queries: [], since: null, complete: null, unavailable_reason: statements.reason }
  }
  const deltas = statements.value
  const use = deltas.seconds >= OWN_SECONDS ? deltas.use(DAY_SECONDS) : deltas.sinceReset()
  if (!use) return { queries: [], since: null, complete: null, unavailable_reason: null }
  const recent = new Map(
    (deltas.use(RECENT_SECONDS)?.statements ?? []).map((one) => [one.key, one]),
  )
  const slow = othersOf(view, use)
    .filter(({ mean_ms }) => mean_ms >= threshold_ms)
    .sort((a, b) => b.total_ms - a.total_ms)
    .slice(0, limit)
  const each = Math.min(
    MOST_CHARACTERS,
    Math.max(160, Math.floor(ALL_CHARACTERS / Math.max(1, slow.length))),
  )
  return {
    queries: slow.map((one) => ({
      query: view.texts.get(one.key)?.query?.slice(0, each) ?? null,
      queryid: one.queryid,
      avg_time_ms: exact(one.mean_ms),
      calls: one.calls,
      total_time_ms: exact(one.total_ms),
      rows: one.rows,
      hit_rate: hitRate(one),
      share_of_total: use.total_ms === 0 ? null : exact(one.total_ms / use.total_ms),
      temp_bytes: one.temp_blocks * use.block_size,
      first_seen: one.first_seen && instantText(one.first_seen),
      trend: trendOf(one, recent.get(one.key)),
    })),
    since: instantText(use.since),
    complete: use.complete,
    unavailable_reason: null,
  }
}

const hitRate = ({ blocks_hit, blocks_read }: StatementUse): number | null =>
  blocks_hit + blocks_read === 0 ? null : exact(blocks_hit / (blocks_hit + blocks_read))

/** The mean of the last ten minutes against that of the whole while. */
function trendOf(one: StatementUse, recent: StatementUse | undefined) {
  if (!recent || one.calls === recent.calls) return null
  return {
    recent_avg_ms: exact(recent.mean_ms),
    factor: exact(recent.mean_ms / Math.max(one.mean_ms, 0.001)),
  }
}
