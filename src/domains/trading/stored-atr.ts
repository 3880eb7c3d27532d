import { type Decimal, decimal } from '../../lib/decimal.js'
import { newYorkDay, sessionOf, tradingMinutes } from '../../lib/market-clock.js'
import { barMinutes, isIntraday, type Timeframe } from '../../lib/timeframes.js'

/** The newest ATR of one timeframe's bars. */
export interface StoredAtr {
  readonly timeframe: Timeframe
  /** Exact decimal text. */
  readonly atr: string
  /** When its bar began, in milliseconds since 1970. */
  readonly started_ms: number
}

/** An ATR says how far a price moves as long as so few bars of its timeframe have followed its own. */
const FRESH_BARS = 5
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const SESSIONS_OF_A_WEEK = 5
/** Longer than five bars ever take, with weekends, holidays and the longest closure since 2000. */
const LONGEST_DAYS: Readonly<Record<'1w' | 'other', number>> = { '1w': 56, other: 21 }

/** Where an ATR is looked for: bars of the signal's own timeframe, then those of days. */
export const atrTimeframes = (own: Timeframe | null): Timeframe[] =>
  own === null || own === '1d' ? ['1d'] : [own, '1d']

/** No bar of a timeframe that began before this instant, in milliseconds, is fresh. */
export const oldestBar = (timeframe: Timeframe, nowMs: number): number =>
  nowMs - LONGEST_DAYS[timeframe === '1w' ? '1w' : 'other'] * DAY_MS

/** The first of these timeframes' ATR that is fresh; null when none is. */
export function freshAtr(
  stored: readonly StoredAtr[],
  timeframes: readonly Timeframe[],
  nowMs: number,
): { readonly timeframe: Timeframe; readonly atr: Decimal } | null {
  for (const timeframe of timeframes) {
    const found = stored.find((one) => one.timeframe === timeframe)
    if (found && barsSince(found, nowMs) <= FRESH_BARS) {
      return { timeframe, atr: decimal(found.atr) }
    }
  }
  return null
}

/** How many bars of market time lie between a bar's end and now, the running one in part. */
function barsSince({ timeframe, started_ms }: StoredAtr, nowMs: number): number {
  if (isIntraday(timeframe)) {
    const ended_ms = started_ms + barMinutes(timeframe) * MINUTE_MS
    return tradingMinutes(ended_ms, nowMs) / barMinutes(timeframe)
  }
  const sessions = timeframe === '1w' ? SESSIONS_OF_A_WEEK : 1
  const last = newYorkDay(started_ms) + (timeframe === '1w' ? 6 : 0)
  return sessionsAfter(last, nowMs) / sessions
}

/** How many sessions after a New York day are over, the running one in part; a half day is one. */
function sessionsAfter(day: number, nowMs: number): number {
  let sessions = 0
  for (let next = day + 1; next <= newYorkDay(nowMs); next++) {
    const session = sessionOf(next)
    if (!session) continue
    const { opens, closes } = session
    sessions += Math.min(1, Math.max(0, (nowMs - opens) / (closes - opens)))
  }
  return sessions
}
