import { newYorkDay, newYorkInstant } from './market-clock.js'

/** How long one bar is. */
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

/** One of the lengths that bars have. */
export type Timeframe = (typeof TIMEFRAMES)[number]

const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60
const SESSION_MINUTES = 390

const MINUTES: Readonly<Record<Timeframe, number>> = {
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
  '1d': DAY_MINUTES,
  '1w': 7 * DAY_MINUTES,
}

/** True of bars that are shorter than a day. */
export const isIntraday = (timeframe: Timeframe): boolean => MINUTES[timeframe] < DAY_MINUTES

/** The length of a bar on the wall's clock, in minutes. */
export const barMinutes = (timeframe: Timeframe): number => MINUTES[timeframe]

/** The length of a bar in minutes of regular trading: 390 on a full day, five days a week. */
export function barTradingMinutes(timeframe: Timeframe): number {
  if (timeframe === '1d') return SESSION_MINUTES
  return timeframe === '1w' ? 5 * SESSION_MINUTES : MINUTES[timeframe]
}

/**
 * The start of the bar that an instant (in milliseconds) lies in: multiples of its length in UTC, for
 * days the midnight of New York, for weeks that of its Monday.
 */
export function barStart(timeframe: Timeframe, ms: number): number {
  const day = newYorkDay(ms)
  if (timeframe === '1d') return newYorkInstant(day, 0)
  if (timeframe === '1w') return newYorkInstant(mondayOf(day), 0)
  const length = MINUTES[timeframe] * MINUTE_MS
  return Math.floor(ms / length) * length
}

/** The Monday of a calendar day's week, both counted from 1970-01-01, which was a Thursday. */
export const mondayOf = (day: number): number => day - ((((day + 3) % 7) + 7) % 7)
