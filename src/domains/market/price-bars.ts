import { setImmediate as nextTurn } from 'node:timers/promises'
import { decimal } from '../../lib/decimal.js'
import { describeIssues } from '../../lib/issues.js'
import { sortableUtcText } from '../../lib/utc-text.js'
import { priceBar } from './bars.schemas.js'

/** A valid bar, its numbers as plain decimal text. */
export interface Bar {
  /** UTC with six decimals of a second, so that texts sort as the instants do. */
  readonly ts: string
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly volume: string
}

/** Why a bar is refused. */
interface BarError {
  readonly index: number
  readonly code: 'invalid_input'
  readonly message: string
}

/** The bars of a call: those to be stored, in order of time, and what is wrong with the others. */
export interface CheckedBars {
  readonly bars: readonly Bar[]
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

/** Checks every bar on its own and against the others; of two that contradict each other the first stays. */
export async function checkBars(items: readonly unknown[], nowMs: number): Promise<CheckedBars> {
  const errors: BarError[] = []
  const known = new Map<string, { readonly index: number; readonly bar: Bar }>()
  let repeats = 0
  for (const [index, item] of items.entries()) {
    const bar = readBar(item, nowMs)
    const first = typeof bar === 'string' ? undefined : known.get(bar.ts)
    if (typeof bar === 'string') errors.push({ index, code: 'invalid_input', message: bar })
    else if (!first) known.set(bar.ts, { index, bar })
    else if (isSame(first.bar, bar)) repeats++
    else errors.push({ index, code: 'invalid_input', message: contradicts(first.index) })
    if (index % SLICE === SLICE - 1) await nextTurn()
  }
  const bars = [...known.values()].map(({ bar }) => bar).sort((a, b) => (a.ts < b.ts ? -1 : 1))
  return { bars, repeats, errors }
}

const contradicts = (index: number): string => `ts: repeats bars[${index}] with other values`

/** A valid bar, or what is wrong with it. */
function readBar(item: unknown, nowMs: number): Bar | string {
  const parsed = priceBar.safeParse(item)
  if (!parsed.success) return describeIssues(parsed.error, 'bar').slice(0, MESSAGE_LENGTH)
  const { ts, timestamp, ...values } = parsed.data
  const start = ts ?? timestamp
  if (start === undefined) return 'ts: is missing'
  if (ts !== undefined && timestamp !== undefined) return 'timestamp: is ts, give only one of them'
  const bar = { ts: sortableUtcText(start), ...values }
  return timeProblem(Date.parse(start), nowMs) ?? rangeProblem(bar) ?? bar
}

function timeProblem(ms: number, nowMs: number): string | null {
  if (ms < EARLIEST_MS) return 'ts: must not be before 1970-01-01T00:00:00Z'
  if (ms <= nowMs + FUTURE_TOLERANCE_MS) return null
  return 'ts: must not lie more than 5 minutes in the future'
}

function rangeProblem({ open, high, low, close }: Bar): string | null {
  const [top, bottom] = [decimal(high), decimal(low)]
  if ([open, low, close].some((value) => top.lt(value))) {
    return 'high: must not be below open, low or close'
  }
  if ([open, close].some((value) => bottom.gt(value))) return 'low: must not be above open or close'
  return null
}

const isSame = (a: Bar, b: Bar): boolean =>
  a.open === b.open &&
  a.high === b.high &&
  a.low === b.low &&
  a.close === b.close &&
  a.volume === b.volume
