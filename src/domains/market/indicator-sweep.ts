import { barMinutes, type Timeframe } from '../../lib/timeframes.js'
import { sortableUtcText } from '../../lib/utc-text.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import type { BarSpan } from './bar-spans.js'
import type { Series } from './bars.sql.js'
import * as indicatorSql from './indicators.sql.js'

/** What is to be written, and where the series begins and ends, which null leaves to be found. */
interface Sweep {
  readonly writes: 'all' | 'new'
  readonly ends: indicatorSql.SeriesEnds | null
}

/** What an SMA of 20 bars reads beside the bar itself. */
const BARS_BEFORE = 19
/** A correction has no effect any more, to twelve decimals, after some four hundred bars. */
const BARS_AT_ONCE = 1_000
/** A week of mourning or storm with the weekends around it. */
const LONGEST_CLOSURE_MS = 10 * 24 * 60 * 60 * 1_000
/** Regular trading fills about a quarter of the clock on weekdays. */
const SPREAD = 4
const LONG_AGO = '1970-01-01T00:00:00.000000Z'

/**
 * Goes forward from each changed bar, some bars at a time, until what is computed is what is stored:
 * each average is made from the one before, so a change has an effect on all bars after it until
 * rounding has swallowed it. The last bar that got other indicators is answered, null for none.
 */
export async function sweepSeries(
  tx: Transaction,
  series: Series,
  spans: readonly BarSpan[],
  { writes, ends }: Sweep,
): Promise<string | null> {
  const reachMs = BARS_AT_ONCE * SPREAD * barMinutes(series.timeframe) * 60_000 + LONGEST_CLOSURE_MS
  const lastOfAll = ends ? sortableUtcText(ends.last_ts) : (spans.at(-1)?.last ?? '')
  let next = spans[0]?.first
  let from: string | null = null
  let widened = 1
  let saved: string | null = null
  while (next !== undefined && next <= lastOfAll) {
    const start: string = next
    from ??= await lookBack(tx, series, start, ends)
    const end = earlier(later(start, widened * reachMs), later(lastOfAll, 1))
    const stretch: indicatorSql.Stretch = { from, start, end, limit: BARS_AT_ONCE }
    const swept: indicatorSql.SweptRow = await tx.one(indicatorSql.sweep(series, stretch, writes))
    saved = swept.saved_ts ?? saved
    if (isSettled(swept, spans)) {
      next = spans.find(({ first }) => first > sortableUtcText(swept.last_ts ?? start))?.first
      from = null
    } else {
      const isFull = swept.bars === BARS_AT_ONCE && swept.last_ts !== null
      next = isFull ? later(swept.last_ts ?? start, 1) : end
      from = swept.tail_ts
      if (!isFull) widened *= SPREAD
    }
  }
  return saved && sortableUtcText(saved)
}

/** Whether the bars after those swept, up to the next changed one, keep the indicators they have. */
function isSettled(
  { last_ts, tail_ts, is_same }: indicatorSql.SweptRow,
  spans: readonly BarSpan[],
): boolean {
  if (!is_same || last_ts === null || tail_ts === null) return false
  const [last, tail] = [sortableUtcText(last_ts), sortableUtcText(tail_ts)]
  return spans.every((span) => span.first > last || span.last < tail)
}

/** Bars are looked for nearby first, and everywhere only where a series is young or sparse. */
async function lookBack(
  tx: Transaction,
  series: Series,
  start: string,
  ends: indicatorSql.SeriesEnds | null,
): Promise<string> {
  const first = ends ? sortableUtcText(ends.first_ts) : LONG_AGO
  const since = nearby(series.timeframe, start)
  const near = await tx.one(indicatorSql.lookBack(series, start, since))
  const isAll = near.bars === BARS_BEFORE || since <= first
  const found = isAll ? near : await tx.one(indicatorSql.lookBack(series, start, first))
  return found.from_ts ?? start
}

/** Far enough before a bar for 19 others of a stock that trades every day. */
const nearby = (timeframe: Timeframe, start: string): string =>
  later(start, -(2 * BARS_BEFORE * barMinutes(timeframe) * 60_000 + LONGEST_CLOSURE_MS))

const later = (instant: string, byMs: number): string =>
  sortableUtcText(new Date(Date.parse(instant) + byMs).toISOString())

const earlier = (a: string, b: string): string => (a < b ? a : b)
