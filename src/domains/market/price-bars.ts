import { setImmediate as nextTurn } from 'node:timers/promises'
import { type BarInterval, barInterval } from '../../lib/bar-interval.js'
import { decimal } from '../../lib/decimal.js'
import { describeIssues } from '../../lib/issues.js'
import type { Timeframe } from '../../lib/timeframes.js'
import { sortableUtcText } from '../../lib/utc-text.js'
import { priceBar } from './bars.schemas.js'

/** A valid bar, its numbers as plain decimal text. */
interface Bar {
  /** The start of its interval, UTC with six decimals of a second, so that texts sort as instants do. */
  readonly ts: string
  readonly ends_at: string
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly volume: string
}

/** What a call leaves of one interval: its last values, and how many others came before them. */
export interface GivenBar extends Bar {
  readonly superseded: number
}

/** Why a bar is refused. */
interface BarError {
  readonly index: number
  readonly code: 'invalid_input'
  readonly message: string
}

/** The bars of a call: those to be stored, in order of time, and what is wrong with the others. */
export interface CheckedBars {
  readonly bars: readonly GivenBar[]
  /** Bars given more than once with the same values. */
  readonly repeats: number
  readonly errors: BarError[]
}

/** How many bars are checked before other requests get their turn. */
const SLICE = 250
const EARLIEST_MS = 0
/** Clocks differ, but not by more. */
const FUTURE_TOLERANCE_MS = 5 * 60_000
const MESSAGE_LENGTH = 300

/** Checks every bar on its own; of those of one interval the last is meant, as if sent one by one. */
export async function checkBars(
  items: readonly unknown[],
  timeframe: Timeframe,
  nowMs: number,
): Promise<CheckedBars> {
  const errors: BarError[] = []
  const known = new Map<string, GivenBar>()
  let repeats = 0
  for (const [index, item] of items.entries()) {
    const bar = readBar(item, timeframe, nowMs)
    if (typeof bar === 'string') errors.push({ index, code: 'invalid_input', message: bar })
    else {
      const before = known.get(bar.ts)
      if (before && isSame(before, bar)) repeats++
      else known.set(bar.ts, { ...bar, superseded: before ? before.superseded + 1 : 0 })
    }
    if (index % SLICE === SLICE - 1) await nextTurn()
  }
  const bars = [...known.values()].sort((a, b) => (a.ts < b.ts ? -1 : 1))
  return { bars, repeats, errors }
}

/** A valid bar, or what is wrong with it. */
function readBar(item: unknown, timeframe: Timeframe, nowMs: number): Bar | string {
  const parsed = priceBar.safeParse(item)
  if (!parsed.success) return describeIssues(parsed.error, 'bar').slice(0, MESSAGE_LENGTH)
  const { ts, timestamp, ...values } = parsed.data
  const stamp = ts ?? timestamp
  if (stamp === undefined) return 'ts: is missing'
  if (ts !== undefined && timestamp !== undefined) return 'timestamp: is ts, give only one of them'
  const stampMs = Date.parse(stamp)
  if (stampMs < EARLIEST_MS) return 'ts: must not be before 1970-01-01T00:00:00Z'
  const interval = barInterval(timeframe, stampMs)
  if (!interval) return offGrid(timeframe)
  return futureProblem(stampMs, interval, nowMs) ?? rangeProblem(values) ?? rowOf(interval, values)
}

const offGrid = (timeframe: Timeframe): string =>
  timeframe === '1d'
    ? 'ts: the exchange was closed on that day; a day is named by midnight UTC of its date or by an instant of it in New York'
    : 'ts: lies on a weekend, so it may mean the week before or after; name a week by its Monday or another weekday'

function futureProblem(stampMs: number, { start }: BarInterval, nowMs: number): string | null {
  if (Math.max(stampMs, start) <= nowMs + FUTURE_TOLERANCE_MS) return null
  return 'ts: must not lie more than 5 minutes in the future'
}

type Values = Omit<Bar, 'ts' | 'ends_at'>

function rangeProblem({ open, high, low, close }: Values): string | null {
  const [top, bottom] = [decimal(high), decimal(low)]
  if ([open, low, close].some((value) => top.lt(value))) {
    return 'high: must not be below open, low or close'
  }
  if ([open, close].some((value) => bottom.gt(value))) return 'low: must not be above open or close'
  return null
}

const rowOf = ({ start, end }: BarInterval, values: Values): Bar => ({
  ts: textOf(start),
  ends_at: textOf(end),
  ...values,
})

const textOf = (ms: number): string => sortableUtcText(new Date(ms).toISOString())

const isSame = (a: Bar, b: Bar): boolean =>
  a.open === b.open &&
  a.high === b.high &&
  a.low === b.low &&
  a.close === b.close &&
  a.volume === b.volume
