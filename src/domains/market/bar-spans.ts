import { barMinutes, type Timeframe } from '../../lib/timeframes.js'

/** A stretch of a series in which bars have changed; both ends are changed bars, as `utcText`. */
export interface BarSpan {
  readonly first: string
  readonly last: string
}

/**
 * Changed bars that lie farther apart are spans of their own, so that two corrections years apart do
 * not have all the years between them computed again.
 */
const GAP_BARS = 64

/** The spans of changed bars, given in order of time as `utcText` writes it. */
export const spansOf = (changed: readonly string[], timeframe: Timeframe): BarSpan[] =>
  mergeSpans(
    changed.map((ts) => ({ first: ts, last: ts })),
    timeframe,
  )

/** Joins spans that overlap or lie near each other; given in order of their first bars. */
export function mergeSpans(spans: readonly BarSpan[], timeframe: Timeframe): BarSpan[] {
  const gapMs = GAP_BARS * barMinutes(timeframe) * 60_000
  const merged: { first: string; last: string }[] = []
  for (const { first, last } of spans) {
    const before = merged.at(-1)
    if (!before || Date.parse(first) - Date.parse(before.last) > gapMs) merged.push({ first, last })
    else if (before.last < last) before.last = last
  }
  return merged
}
