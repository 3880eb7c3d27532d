import { sortableUtcText } from '../../lib/utc-text.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import { type BarSpan, mergeSpans, spansOf } from './bar-spans.js'
import type { Series } from './bars.sql.js'
import { sweepSeries } from './indicator-sweep.js'
import * as indicatorSql from './indicators.sql.js'

/** Computes the indicators that bars changed at these times, in order, have an effect on. */
export async function recompute(
  tx: Transaction,
  series: Series,
  times: readonly string[],
): Promise<void> {
  if (times.length > 0) await settleSeries(tx, series, spansOf(times, series.timeframe))
}

/**
 * The same in a transaction that a client holds open. Its new bars get indicators at once, for what it
 * does next. What others may have to write as well, the series and the indicators of known bars, is
 * locked when it commits, and computed then from what everybody has committed.
 */
export async function recomputeHeld(
  tx: Transaction,
  held: NonNullable<Transaction['held']>,
  series: Series,
  times: readonly string[],
): Promise<void> {
  if (times.length === 0) return
  const spans = spansOf(times, series.timeframe)
  await sweepSeries(tx, series, spans, { writes: 'new', ends: null })
  await tx.run(indicatorSql.holdSpans(series, spans))
  held.beforeCommit(settle)
}

/** Does what is left of all operations of the transaction; those after the first find nothing. */
async function settle(tx: Transaction): Promise<void> {
  const bySeries = new Map<string, { series: Series; spans: BarSpan[] }>()
  for (const { first_ts, last_ts, ...series } of await tx.many(indicatorSql.takeSpans())) {
    const key = `${series.security_id} ${series.timeframe}`
    const known = bySeries.get(key) ?? { series, spans: [] }
    known.spans.push({ first: sortableUtcText(first_ts), last: sortableUtcText(last_ts) })
    bySeries.set(key, known)
  }
  for (const { series, spans } of bySeries.values()) {
    await settleSeries(tx, series, mergeSpans(spans, series.timeframe))
  }
}

/**
 * The series is claimed after the bars were written: who waits for a bar then holds no series, so the
 * two orders of locks cannot meet. The next statements see what the claim has waited for.
 */
async function settleSeries(
  tx: Transaction,
  series: Series,
  spans: readonly BarSpan[],
): Promise<void> {
  const [first, last] = [spans[0]?.first, spans.at(-1)?.last]
  if (first === undefined || last === undefined) return
  const ends = await tx.one(indicatorSql.claimSeries(series, { first, last }))
  const saved = await sweepSeries(tx, series, spans, { writes: 'all', ends })
  if (saved !== null && saved > last) await tx.run(indicatorSql.noteIndicators(series, saved))
}
