import { decimal, plain, rounded } from '../../lib/decimal.js'
import { tradingMinutes } from '../../lib/market-clock.js'
import { barMinutes, barTradingMinutes } from '../../lib/timeframes.js'
import type { BarNear, ToldMove, UntoldMoveRow } from './catalyst-outcomes.sql.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A bar farther than this from the instant it is to tell about does not tell about it. */
const MAX_LENGTHS = 2
const BASIS_POINTS = 10_000
const MOVE_DECIMALS = 4

/**
 * How the price moved within an hour and within a day of a story, in basis points; null while it
 * cannot be told yet. When `waitMs` have passed after the day, what bars cannot tell is given up.
 */
export function toldMove(story: UntoldMoveRow, nowMs: number, waitMs: number): ToldMove | null {
  const { news_id, published_ms } = story
  if (!story.has_security) return unresolvable(news_id, 'the story names no symbol')
  const hour = moveAfter(story, story.after_1h, HOUR_MS, nowMs)
  const day = moveAfter(story, story.after_24h, DAY_MS, nowMs)
  if (hour !== null && day !== null) {
    return { news_id, status: 'resolved', move_1h: hour, move_24h: day, reason: null }
  }
  if (nowMs < published_ms + DAY_MS + waitMs) return null
  const missing = [...(hour === null ? ['the hour'] : []), ...(day === null ? ['the day'] : [])]
  const reason = `no price bars close enough to tell ${missing.join(' and ')} after it`
  return { ...unresolvable(news_id, reason), move_1h: hour, move_24h: day }
}

/** Moves that still have to be waited for. */
export const untold = (news_id: string): ToldMove => ({
  news_id,
  status: 'pending',
  move_1h: null,
  move_24h: null,
  reason: null,
})

const unresolvable = (news_id: string, reason: string): ToldMove => ({
  ...untold(news_id),
  status: 'unresolvable',
  reason,
})

/** By the shortest bars that tell both ends; bars longer than the move itself do not. */
function moveAfter(
  { published_ms, at_publication }: UntoldMoveRow,
  later: readonly BarNear[],
  afterMs: number,
  nowMs: number,
): string | null {
  const target = published_ms + afterMs
  if (nowMs < target) return null
  for (const end of later) {
    if (barMinutes(end.timeframe) * 60_000 > afterMs || !isNear(end, target)) continue
    const start = at_publication.find(({ timeframe }) => timeframe === end.timeframe)
    if (start && isNear(start, published_ms)) return change(start.close, end.close)
  }
  return null
}

const isNear = (bar: BarNear, target: number): boolean =>
  tradingMinutes(bar.ended_ms, target) <= MAX_LENGTHS * barTradingMinutes(bar.timeframe)

const change = (from: string, to: string): string =>
  plain(rounded(decimal(to).div(decimal(from)).minus(1).times(BASIS_POINTS), MOVE_DECIMALS))
