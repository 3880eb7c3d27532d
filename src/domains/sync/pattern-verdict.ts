import { type Decimal, decimal, plain, rounded } from '../../lib/decimal.js'
import { newYorkDay, sessionOf, tradingMinutes } from '../../lib/market-clock.js'
import { barMinutes, barTradingMinutes, isIntraday, type Timeframe } from '../../lib/timeframes.js'

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
    }
  | { readonly status: 'unresolvable'; readonly reason: string }

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
  readonly ended_ms: number
  readonly high: string
  readonly low: string
  readonly close: string
}

/** The last bar that had ended when a pattern was detected. */
export interface EntryBar {
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
  /** Bars that began after the detection, in order. */
  readonly bars: readonly Bar[]
  /** Within how many bars the price must move. */
  readonly window_bars: number
  /** No bar is waited for any longer. */
  readonly is_over: boolean
}

const MINUTE_MS = 60_000
/** Calendar days that a trading day stands for: 7/5, and room for holidays. */
const CALENDAR_DAYS = 1.6
/** An older bar says nothing of the price and the range at the detection (domain rule for news moves). */
const ENTRY_BARS = 2
const BPS_DECIMALS = 4
const MINUTE_DECIMALS = 3

const unresolvable = (reason: string): Verdict => ({ status: 'unresolvable', reason })

/** The outcome by a position, or null while it is open. */
export function verdictByTrade(position: LinkedPosition): Verdict | null {
  const { position_id, outcome, net_return_bps, minutes } = position
  if (outcome === null || net_return_bps === null || minutes === null) return null
  const success = outcome === 'scratch' ? null : outcome === 'win'
  const move_bps = net_return_bps
  return { status: 'resolved', success, method: 'trade', move_bps, minutes, position_id }
}

/** The outcome of a pattern without a direction that nobody traded, or null while somebody might. */
export const verdictWithoutDirection = (isOver: boolean): Verdict | null =>
  isOver ? unresolvable('neutral, and no position was opened on it') : null

/**
 * The outcome by price: the first bar that touches one ATR above or below the entry decides. A bar
 * that touches both counts as failure, because which came first is not known.
 */
export function verdictByPrice(given: PriceCase): Verdict | null {
  const barriers = barriersOf(given)
  if (typeof barriers === 'string') return given.is_over ? unresolvable(barriers) : null
  const bars = given.bars.slice(0, given.window_bars)
  for (const bar of bars) {
    const touched = touchedBy(bar, barriers)
    if (touched.up || touched.down)
      return told(given, barriers.entry, bar, isSuccess(given, touched))
  }
  const last = bars[given.window_bars - 1]
  if (last) return told(given, barriers.entry, last, false)
  return given.is_over ? unresolvable('too few price bars after it') : null
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

function told(given: PriceCase, entry: Decimal, bar: Bar, success: boolean): Verdict {
  const rise = decimal(bar.close).minus(entry).times(10_000).div(entry)
  const move = given.direction === 'bullish' ? rise : rise.times(-1)
  const minutes = decimal(bar.ended_ms - given.detected_ms).div(MINUTE_MS)
  return {
    status: 'resolved',
    success,
    method: 'price',
    move_bps: plain(rounded(move, BPS_DECIMALS)),
    minutes: plain(rounded(minutes, MINUTE_DECIMALS)),
    position_id: null,
  }
}

/**
 * When so many bars after the detection have ended: regular hours for bars within a day, the calendar
 * for longer ones.
 */
export function barsEnd(timeframe: Timeframe, detectedMs: number, bars: number): number {
  const minutes = bars * barMinutes(timeframe)
  return isIntraday(timeframe)
    ? afterTradingMinutes(detectedMs, minutes)
    : detectedMs + minutes * CALENDAR_DAYS * MINUTE_MS
}

/** The first instant by which so many minutes of regular trading have passed. */
function afterTradingMinutes(fromMs: number, minutes: number): number {
  let left = minutes * MINUTE_MS
  for (let day = newYorkDay(fromMs); ; day++) {
    const session = sessionOf(day)
    if (!session) continue
    const start = Math.max(fromMs, session.opens)
    const open = Math.max(0, session.closes - start)
    if (open >= left) return start + left
    left -= open
  }
}
