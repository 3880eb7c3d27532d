import type { BarInterval } from '../../lib/bar-interval.js'
import { type Decimal, decimal, plain, rounded } from '../../lib/decimal.js'
import { tradingMinutes } from '../../lib/market-clock.js'
import { barTradingMinutes, type Timeframe } from '../../lib/timeframes.js'

/** What became of a detected pattern. */
export type Verdict =
  | {
      readonly status: 'resolved'
      /** Null for a scratch, which counts neither way. */
      readonly success: boolean | null
      readonly method: 'trade' | 'price'
      readonly move_bps: string
      readonly minutes: string
      readonly position_id: string | null
      /** What a reader should know of it. */
      readonly reason: string | null
      readonly evidence: BarsSpan | null
    }
  | {
      readonly status: 'unresolvable'
      readonly reason: string
      readonly evidence: BarsSpan | null
    }

/** The starts of the first and the last bar that count, in milliseconds: others change nothing. */
interface BarsSpan {
  readonly from: number
  readonly until: number
}

/** The earliest position that was opened on a pattern. */
export interface LinkedPosition {
  readonly position_id: string
  /** Null while it is open. */
  readonly outcome: 'win' | 'loss' | 'scratch' | null
  readonly net_return_bps: string | null
  /** From the detection to its close. */
  readonly minutes: string | null
}

/** A bar that has ended. */
export interface Bar {
  readonly start_ms: number
  readonly ended_ms: number
  readonly high: string
  readonly low: string
  readonly close: string
}

/** The last bar that had ended when a pattern was detected. */
export interface EntryBar {
  readonly start_ms: number
  readonly ended_ms: number
  readonly close: string
  readonly atr: string | null
}

/** A pattern whose outcome prices are to tell. */
export interface PriceCase {
  readonly timeframe: Timeframe
  readonly direction: 'bullish' | 'bearish'
  readonly detected_ms: number
  /** When it was detected, as the client saw it. */
  readonly price: string | null
  readonly entry: EntryBar | null
  /** Stored bars that began after the detection, in order. */
  readonly bars: readonly Bar[]
  /** The bars that regular trading makes, within which the price must move. */
  readonly expected: readonly BarInterval[]
  /** No bar is waited for any longer: what is missing then was perhaps never traded. */
  readonly is_over: boolean
}

const MINUTE_MS = 60_000
/** How long before the detection the last bar is looked for: a fresh one is never that old. */
export const ENTRY_DAYS = 31
const DAY_MS = 86_400_000
/** An older bar says nothing of the price and the range at the detection (domain rule for news moves). */
const ENTRY_BARS = 2
const BPS_DECIMALS = 4
const MINUTE_DECIMALS = 3

const unresolvable = (reason: string, evidence: BarsSpan | null): Verdict => ({
  status: 'unresolvable',
  reason,
  evidence,
})

/** The outcome by a position, or null while it is open. */
export function verdictByTrade(position: LinkedPosition): Verdict | null {
  const { position_id, outcome, net_return_bps, minutes } = position
  if (outcome === null || net_return_bps === null || minutes === null) return null
  return {
    status: 'resolved',
    success: outcome === 'scratch' ? null : outcome === 'win',
    method: 'trade',
    move_bps: net_return_bps,
    minutes,
    position_id,
    reason: null,
    evidence: null,
  }
}

/** The outcome of a pattern without a direction that nobody traded, or null while somebody might. */
export const verdictWithoutDirection = (isOver: boolean): Verdict | null =>
  isOver ? unresolvable('neutral, and no position was opened on it', null) : null

/**
 * The outcome by price: the first bar that touches one ATR above or below the entry decides, or else the
 * last of the window. A bar that touches both counts as failure, because which came first is not known.
 * While a bar before the deciding one is missing and may still come, nothing is told.
 */
export function verdictByPrice(given: PriceCase): Verdict | null {
  const { entry, expected, detected_ms, is_over } = given
  const from = entry?.start_ms ?? detected_ms - ENTRY_DAYS * DAY_MS
  const whole = { from, until: expected.at(-1)?.start ?? detected_ms }
  const barriers = barriersOf(given)
  if (typeof barriers === 'string') return is_over ? unresolvable(barriers, whole) : null
  const deciding = decidingBar(given, barriers)
  if (!deciding) return is_over ? unresolvable('too few price bars after it', whole) : null
  const missing = missingBefore(deciding, given)
  if (missing > 0 && !is_over) return null
  const success = isSuccess(given, touchedBy(deciding, barriers))
  const reason = missing > 0 ? `${missing} price bars before the deciding one are missing` : null
  const evidence = { from, until: deciding.start_ms }
  return { ...told(given, barriers.entry, deciding), success, reason, evidence }
}

function decidingBar({ bars, expected }: PriceCase, barriers: Barriers): Bar | undefined {
  const within = bars.slice(0, expected.length)
  const touching = within.find((bar) => {
    const { up, down } = touchedBy(bar, barriers)
    return up || down
  })
  return touching ?? within[expected.length - 1]
}

/** How many of the bars that regular trading makes before the deciding one are not stored. */
function missingBefore(deciding: Bar, { bars, expected }: PriceCase): number {
  const stored = new Set(bars.map(({ start_ms }) => start_ms))
  return expected.filter(({ start }) => start < deciding.start_ms && !stored.has(start)).length
}

interface Barriers {
  readonly entry: Decimal
  readonly above: Decimal
  readonly below: Decimal
}

interface Touched {
  readonly up: boolean
  readonly down: boolean
}

function barriersOf({ price, entry: bar, timeframe, detected_ms }: PriceCase): Barriers | string {
  if (bar === null || isStale(bar, timeframe, detected_ms)) return 'no price bar just before it'
  const atr = decimal(bar.atr ?? 0)
  if (atr.eq(0)) return 'no average true range just before it'
  const entry = decimal(price ?? bar.close)
  return { entry, above: entry.plus(atr), below: entry.minus(atr) }
}

const isStale = ({ ended_ms }: EntryBar, timeframe: Timeframe, detectedMs: number): boolean =>
  tradingMinutes(ended_ms, detectedMs) > ENTRY_BARS * barTradingMinutes(timeframe)

const touchedBy = ({ high, low }: Bar, { above, below }: Barriers): Touched => ({
  up: above.lte(high),
  down: below.gte(low),
})

const isSuccess = ({ direction }: PriceCase, { up, down }: Touched): boolean =>
  direction === 'bullish' ? up && !down : down && !up

function told(given: PriceCase, entry: Decimal, bar: Bar) {
  const rise = decimal(bar.close).minus(entry).times(10_000).div(entry)
  const move = given.direction === 'bullish' ? rise : rise.times(-1)
  const minutes = decimal(bar.ended_ms - given.detected_ms).div(MINUTE_MS)
  return {
    status: 'resolved',
    method: 'price',
    move_bps: plain(rounded(move, BPS_DECIMALS)),
    minutes: plain(rounded(minutes, MINUTE_DECIMALS)),
    position_id: null,
  } as const
}
