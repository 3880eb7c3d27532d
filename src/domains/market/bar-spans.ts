import { type Timeframe, timeframeMinutes } from '../../lib/timeframe.js'

/** A stretch of a series in which bars have changed, both ends changed bars themselves. */
export interface BarSpan {
  readonly first: string
  readonly last: string
}

/**
 * Changed bars that lie farther apart are spans of their own, so that two corrections years apart do
 * not have all the years between them computed again.
 */
const GAP_BARS = 64

/** The spans of changed bars, given in order of time. */
export function spansOf(changed: readonly string[], timeframe: Timeframe): BarSpan[] {
  const gapMs = GAP_BARS * timeframeMinutes(timeframe) * 60_000
  const spans: { first: string; last: string }[] = []
  for (const ts of changed) {
    const span = spans.at(-1)
    if (span && Date.parse(ts) - Date.parse(span.last) <= gapMs) span.last = ts
    else spans.push({ first: ts, last: ts })
  }
  return spans
}
