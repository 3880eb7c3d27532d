/** How long a bar of each timeframe is, in minutes; the shortest first. */
export const TIMEFRAME_MINUTES = {
  '1m': 1,
  '2m': 2,
  '3m': 3,
  '5m': 5,
  '10m': 10,
  '15m': 15,
  '30m': 30,
  '1h': 60,
  '2h': 120,
  '4h': 240,
  '1d': 1_440,
  '1w': 10_080,
} as const

/** One of the timeframes. */
export type Timeframe = keyof typeof TIMEFRAME_MINUTES

/** All timeframes, the shortest first. */
export const TIMEFRAMES = Object.keys(TIMEFRAME_MINUTES) as [Timeframe, ...Timeframe[]]
