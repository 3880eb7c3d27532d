/** How long a bar lasts, shortest first. */
export const TIMEFRAMES = [
  '1m',
  '2m',
  '3m',
  '5m',
  '10m',
  '15m',
  '30m',
  '1h',
  '2h',
  '4h',
  '1d',
  '1w',
] as const

/** One of the lengths of a bar. */
export type Timeframe = (typeof TIMEFRAMES)[number]

const UNIT_MINUTES: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1_440, w: 10_080 }

/** The length of a bar in minutes of the calendar, not of trading. */
export const timeframeMinutes = (timeframe: Timeframe): number =>
  Number.parseInt(timeframe, 10) * (UNIT_MINUTES[timeframe.slice(-1)] ?? 1)
