import type { Transaction } from '../../platform/postgres/queryable.js'
import { type BarSpan, spansOf } from './bar-spans.js'
import type { Series } from './bars.sql.js'
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
  await tx.run(indicatorSql.addIndicators(series, spans))
  await tx.run(indicatorSql.holdSpans(series, spans))
  held.beforeCommit(settle)
}

/** Does what is left of all operations of the transaction; those after the first find nothing. */
async function settle(tx: Transaction): Promise<void> {
  const bySeries = new Map<string, { series: Series; spans: BarSpan[] }>()
  for (const { first_ts, last_ts, ...series } of await tx.many(indicatorSql.takeSpans())) {
    const key = `${series.security_id} ${series.timeframe}`
    const known = bySeries.get(key) ?? { series, spans: [] }
    known.spans.push({ first: first_ts, last: last_ts })
    bySeries.set(key, known)
  }
  for (const { series, spans } of bySeries.values()) await settleSeries(tx, series, spans)
}

/**
 * The series is claimed after the bars were written: who waits for a bar then holds no series, so the
 * two orders of locks cannot meet. The next statement sees what the claim has waited for.
 */
async function settleSeries(
  tx: Transaction,
  series: Series,
  spans: readonly BarSpan[],
): Promise<void> {
  await tx.run(indicatorSql.claimSeries(series))
  await tx.run(indicatorSql.saveIndicators(series, spans))
}
