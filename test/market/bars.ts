/** A bar in fixed-point, so that sums are exact: prices in millionths. */
export interface Candle {
  readonly ts: string
  readonly high: bigint
  readonly low: bigint
  readonly close: bigint
}

const ONE = 1_000_000n

const dollars = (millionths: bigint): string =>
  `${millionths / ONE}.${String(millionths % ONE).padStart(6, '0')}`

/** A bar as a client sends it; it opens at its low. */
export const sent = ({ ts, high, low, close }: Candle) => ({
  ts,
  open: dollars(low),
  high: dollars(high),
  low: dollars(low),
  close: dollars(close),
  volume: 100,
})

/** What technical_indicators is to hold, computed from the whole series at once. */
export function indicatorsOf(series: readonly Candle[]) {
  const candles = [...series].sort((a, b) => Date.parse(a.ts) - Date.parse(b.ts))
  const averages = wilder(candles.map((candle, i) => trueRange(candle, candles[i - 1])))
  return candles.map(({ ts }, i) => ({
    ts,
    atr_14: averages[i] ?? null,
    sma_20: mean(
      candles.slice(Math.max(0, i - 19), i + 1).map(({ close }) => close),
      20,
    ),
  }))
}

/** Wilder's averages of 14 true ranges, of which the first bar has none; each step has twelve decimals. */
function wilder(ranges: readonly bigint[]): (string | null)[] {
  let exact = 0n
  return ranges.map((range, i) => {
    if (i < 14) exact += i === 0 ? 0n : range * ONE
    exact = i < 14 ? exact : half(i === 14 ? exact + range * ONE : 13n * exact + range * ONE, 14n)
    return i < 14 ? null : dollars(half(exact, ONE))
  })
}

/** A quotient rounded half up; none is below 0. */
const half = (value: bigint, by: bigint): bigint => (2n * value + by) / (2n * by)

function trueRange({ high, low }: Candle, before: Candle | undefined): bigint {
  if (!before) return 0n
  const distances = [high - low, abs(high - before.close), abs(low - before.close)]
  return distances.reduce((a, b) => (a > b ? a : b))
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value)

/** Rounded half away from zero to six decimals, or null where there are fewer values. */
function mean(values: readonly bigint[], n: number): string | null {
  if (values.length < n) return null
  const sum = values.reduce((a, b) => a + b, 0n)
  return dollars(half(sum, BigInt(n)))
}

/** The instant some minutes after the first bar of a test. */
export const minute = (i: number, start = '2024-08-12T13:30:00.000Z'): string =>
  new Date(Date.parse(start) + i * 60_000).toISOString()

/** A bar of plain numbers. */
export const bar = (ts: string, overrides: Record<string, unknown> = {}) => ({
  ts,
  open: 10,
  high: 11,
  low: 9,
  close: 10.5,
  volume: 1_000,
  ...overrides,
})
