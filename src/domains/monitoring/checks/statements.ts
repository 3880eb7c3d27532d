import type { Concern, Judgement, MeasuredCheck } from '../../../lib/check.js'
import type { StatementUse, Use } from '../statement-deltas.js'
import { judged, othersOf, severityOf, type Thresholds, tenth, type View } from '../view.js'

const TEN_MINUTES = 600
/** Of fewer calls a mean says little, and below so little time nobody notices. */
const COMPARED_CALLS = 20
const COMPARED_MS = 10
const NAMED = 5
const FIRST = 'Statements are compared between two samples, and there is one so far.'

/** Which statements take long, and which take longer than they did. */
export const statementChecks = (view: View, limits: Thresholds): MeasuredCheck[] => [
  { name: 'slow_queries', measure: () => slowQueries(view, limits) },
  { name: 'query_regression', measure: () => queryRegression(view, limits) },
]

function slowQueries(view: View, limits: Thresholds): Judgement {
  return judged(view.statements, (deltas) => {
    const use = deltas.use(TEN_MINUTES)
    if (!use) return { unknown: FIRST }
    const threshold = limits.slow_query_ms
    const others = othersOf(view, use)
    const called = others.filter(({ calls }) => calls >= limits.slow_query_calls)
    const value = tenth(Math.max(0, ...called.map(({ mean_ms }) => mean_ms)))
    const slow = called
      .filter(({ mean_ms }) => mean_ms >= threshold)
      .sort((a, b) => b.total_ms - a.total_ms)
    const concerns = slow.slice(0, NAMED).map(
      (one): Concern => ({
        severity: 'warning',
        object: `statement ${one.queryid}`,
        title: `Statement ${one.queryid} takes ${tenth(one.mean_ms)} ms on average, ${one.calls} calls in ${minutes(use)}.`,
        evidence: { ...evidenceOf(one, view, use), slow_statements: slow.length },
        threshold,
        next_step:
          'Look at its plan with analyze_query: most slow statements lack an index or read more than they need.',
        tool: { name: 'analyze_query', arguments: { query: view.texts.get(one.key)?.query ?? '' } },
      }),
    )
    return { value, threshold, concerns }
  })
}

/** The same statement against its own past: a plan that flipped, a table that grew, a cache that is gone. */
function queryRegression(view: View, limits: Thresholds): Judgement {
  return judged(view.statements, (deltas) => {
    const use = deltas.use(TEN_MINUTES)
    const past = deltas.baseline()
    if (!use || !past)
      return { unknown: 'Statements have been watched for less than half an hour.' }
    const before = new Map(past.statements.map((one) => [one.key, one]))
    const threshold = limits.query_regression_factor[0]
    const compared = othersOf(view, use).flatMap((one) => {
      const old = before.get(one.key)
      if (!old || old.calls < COMPARED_CALLS || one.calls < COMPARED_CALLS) return []
      if (one.mean_ms < COMPARED_MS) return []
      return [{ one, old, factor: one.mean_ms / Math.max(old.mean_ms, 0.001) }]
    })
    const value = tenth(Math.max(0, ...compared.map(({ factor }) => factor)))
    const concerns = compared
      .sort((a, b) => b.factor * b.one.total_ms - a.factor * a.one.total_ms)
      .slice(0, NAMED)
      .flatMap(({ one, old, factor }): Concern[] => {
        const severity = severityOf(factor, limits.query_regression_factor)
        if (!severity) return []
        return [
          {
            severity,
            object: `statement ${one.queryid}`,
            title: `Statement ${one.queryid} takes ${tenth(factor)} times as long as before: ${tenth(one.mean_ms)} ms instead of ${tenth(old.mean_ms)} ms.`,
            evidence: {
              ...evidenceOf(one, view, use),
              before_ms: tenth(old.mean_ms),
              blocks_per_call: Math.round((one.blocks_hit + one.blocks_read) / one.calls),
              blocks_per_call_before: Math.round((old.blocks_hit + old.blocks_read) / old.calls),
            },
            threshold,
            next_step:
              'Look at its plan: if it reads more blocks than before the plan has changed (analyze its tables), else the server is busier.',
            tool: {
              name: 'analyze_query',
              arguments: { query: view.texts.get(one.key)?.query ?? '' },
            },
          },
        ]
      })
    return { value, threshold, concerns }
  })
}

const minutes = ({ seconds }: Use): string =>
  seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`

const evidenceOf = (one: StatementUse, view: View, use: Use) => ({
  queryid: one.queryid,
  query: view.texts.get(one.key)?.query ?? null,
  avg_time_ms: tenth(one.mean_ms),
  calls: one.calls,
  total_time_ms: tenth(one.total_ms),
  share_of_total:
    use.total_ms === 0 ? null : Math.round((one.total_ms / use.total_ms) * 1_000) / 1_000,
  rows_per_call: tenth(one.rows / one.calls),
  temp_bytes: one.temp_blocks * use.block_size,
})
