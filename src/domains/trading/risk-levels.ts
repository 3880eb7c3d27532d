import { type Decimal, decimal, rounded } from '../../lib/decimal.js'
import type { Policy } from '../../policy.js'

/** Limits of risk, from the policy. */
export type RiskLimits = Policy['risk']

/** How much of the largest position a confidence is worth. */
export const SIZE_TIERS = ['full', 'half', 'quarter', 'none'] as const

/** One of the sizes. */
export type SizeTier = (typeof SIZE_TIERS)[number]

const SHARE_OF_TIER: Readonly<Record<SizeTier, string>> = {
  full: '1',
  half: '0.5',
  quarter: '0.25',
  none: '0',
}

/** Decimals and bound of a price column, `numeric(18,6)`. */
const PRICE_DECIMALS = 6
const PRICE_BOUND = decimal('1e12')

/** A share of something given in percent, exactly. */
export const percentOf = (percent: number, whole: Decimal): Decimal =>
  whole.times(percent).times('0.01')

/** The size of a confidence, which must be above a limit, not at it. */
export function sizeTierOf(confidence: Decimal, limits: RiskLimits): SizeTier {
  if (confidence.gt(limits.confidence_full)) return 'full'
  if (confidence.gt(limits.confidence_half)) return 'half'
  return confidence.gt(limits.confidence_quarter) ? 'quarter' : 'none'
}

/** What levels are set from. */
interface LevelFacts {
  readonly signal_type: 'BUY' | 'SELL'
  readonly entry_price: Decimal | null
  readonly atr: Decimal | null
}

/** A price at which a position is left: null while unknown, `impossible` where none can be set. */
export type Level = Decimal | 'impossible' | null

/** Where a position is left, with a loss or with a gain. */
export interface Levels {
  readonly stop_price: Level
  readonly target_1: Level
  readonly target_2: Level
}

/** The levels of an entry: multiples of ATR, the stop a share of the price where no ATR is known. */
export function levelsOf(facts: LevelFacts, limits: RiskLimits): Levels {
  const { entry_price, atr } = facts
  if (entry_price === null) return { stop_price: null, target_1: null, target_2: null }
  const gain = facts.signal_type === 'BUY' ? 1 : -1
  const at = (distance: Decimal | undefined, side: number): Level =>
    distance === undefined ? null : levelAt(entry_price, distance, side)
  const stop = atr?.times(limits.stop_atr) ?? percentOf(limits.stop_pct, entry_price)
  return {
    stop_price: at(stop, -gain),
    target_1: at(atr?.times(limits.target_1_atr), gain),
    target_2: at(atr?.times(limits.target_2_atr), gain),
  }
}

/** The distance is rounded, not the price, so that BUY and SELL mirror each other exactly. */
function levelAt(entry: Decimal, distance: Decimal, side: number): Level {
  const level = entry.plus(rounded(distance, PRICE_DECIMALS).times(side))
  return level.gt(0) && level.lt(PRICE_BOUND) && !level.eq(entry) ? level : 'impossible'
}

/** The level as a price, or null. */
export const priceOf = (level: Level): Decimal | null => (level === 'impossible' ? null : level)

/** What a number of shares is computed from. */
interface SizeFacts {
  readonly confidence: Decimal
  readonly entry_price: Decimal | null
  readonly atr: Decimal | null
  readonly equity: Decimal | null
  readonly size_tier: SizeTier
  readonly max_position_pct: number
}

/** Whole shares: as many as either limit allows; null while one of them is unknown. */
export interface Shares {
  readonly shares: Decimal | null
  readonly shares_by_risk: Decimal | null
  readonly shares_by_size: Decimal | null
}

/**
 * As many shares as lose, at a stop of ATR's distance, the risk of one trade times the confidence;
 * and as many as make a position of the tier's size.
 */
export function sharesOf(facts: SizeFacts, limits: RiskLimits): Shares {
  const { confidence, entry_price, atr, equity } = facts
  const risk = equity && percentOf(limits.risk_per_trade_pct, equity).times(confidence)
  const size =
    equity && percentOf(facts.max_position_pct, equity).times(SHARE_OF_TIER[facts.size_tier])
  const shares_by_risk = risk && atr && wholeParts(risk, atr.times(limits.stop_atr))
  const shares_by_size = size && entry_price && wholeParts(size, entry_price)
  return { shares: lesser(shares_by_risk, shares_by_size), shares_by_risk, shares_by_size }
}

/** How often a part goes into a whole. The remainder is exact where a quotient would be rounded. */
const wholeParts = (whole: Decimal, part: Decimal): Decimal =>
  whole.lte(0) ? decimal(0) : whole.minus(whole.mod(part)).div(part)

const lesser = (a: Decimal | null, b: Decimal | null): Decimal | null => a && b && (a.lt(b) ? a : b)
