import { type Interval, wilsonInterval } from './statistics.js'

/** Outcomes that counted: `wins` out of `n`. */
export interface Counts {
  readonly n: number
  readonly wins: number
}

/** How much alike the detections of a level are, from the most general to the most specific. */
const LEVELS = ['type', 'type_catalyst', 'type_timeframe_catalyst'] as const

/** The levels, and `none` where there is no outcome at any of them. */
export const RATE_LEVELS = ['none', ...LEVELS] as const

/** The outcomes of detections that are alike, by level. */
export type LevelCounts = Readonly<Record<(typeof LEVELS)[number], Counts>>

/** How often patterns of a kind came true. */
export interface SuccessRate {
  /** From 0 to 1. */
  readonly rate: number
  /** The most specific level with an outcome; sample and interval are of it. */
  readonly level: (typeof RATE_LEVELS)[number]
  readonly sample_size: number
  readonly interval: Interval
}

/** Nothing is known of a pattern nobody has seen: it comes true as often as not. */
export const FIRST_OPINION = 0.5

/** The rate of a level, shrunk towards its parent's, which counts for `strength` outcomes. */
export const shrunkRate = ({ n, wins }: Counts, parent: number, strength: number): number =>
  (wins + strength * parent) / (n + strength)

/** The rate of a pattern type over all its detections. */
export const typeRate = (counts: Counts, strength: number): number =>
  shrunkRate(counts, FIRST_OPINION, strength)

/**
 * The rate at the most specific level, each level shrunk towards the one before it and the first
 * towards one half, with the Wilson interval of what was really seen.
 */
export function successRate(counts: LevelCounts, strength: number): SuccessRate {
  const rate = LEVELS.reduce(
    (parent, level) => shrunkRate(counts[level], parent, strength),
    FIRST_OPINION,
  )
  const level = LEVELS.findLast((one) => counts[one].n > 0) ?? 'none'
  const { n, wins } = level === 'none' ? { n: 0, wins: 0 } : counts[level]
  return { rate, level, sample_size: n, interval: wilsonInterval(wins, n) }
}
