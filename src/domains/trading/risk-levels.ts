import { type Decimal, decimal } from '../../lib/decimal.js'
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

/** Bound of a price column, `numeric(18,6)`. */
const PRICE_BOUND = decimal('1e12')

/** The least steps of prices from a dollar on and below one (17 CFR 242.612). */
const TICK = decimal('0.01')
const TICK_BELOW_ONE = decimal('0.0001')

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
  /** The least step of the security's price; null where the market's rule holds. */
  readonly tick_size: Decimal | null
}

/** A price at which a position is left: null while unknown, `impossible` where none can be set. */
export type Level = Decimal | 'impossible' | null

/** Where a position is left, with a loss or with a gain. */
export interface Levels {
  readonly stop_price: Level
  readonly target_1: Level
  readonly target_2: Level
  /** Distances from the entry to the stop and to the first target, before they became whole ticks. */
  readonly risk: Decimal | null
  readonly reward: Decimal | null
}

const UNKNOWN: Levels = {
  stop_price: null,
  target_1: null,
  target_2: null,
  risk: null,
  reward: null,
}

/** The levels of an entry: multiples of ATR, the stop a share of the price where no ATR is known. */
export function levelsOf(facts: LevelFacts, limits: RiskLimits): Levels {
  const { entry_price, atr, tick_size } = facts
  if (entry_price === null) return UNKNOWN
  const gain = facts.signal_type === 'BUY' ? 1 : -1
  const at = (distance: Decimal | null, side: number): Level =>
    distance && levelAt(entry_price, entry_price.plus(distance.times(side)), tick_size)
  const risk = atr?.times(limits.stop_atr) ?? percentOf(limits.stop_pct, entry_price)
  const reward = atr?.times(limits.target_1_atr) ?? null
  return {
    stop_price: at(risk, -gain),
    target_1: at(reward, gain),
    target_2: at(atr?.times(limits.target_2_atr) ?? null, gain),
    risk,
    reward,
  }
}

/** On a whole tick, towards the entry: a stop is never further away than the risk allows. */
function levelAt(entry: Decimal, exact: Decimal, tickSize: Decimal | null): Level {
  if (exact.lte(0)) return 'impossible'
  const isAbove = exact.gt(entry)
  const tick = tickSize ?? (exact.gte(1) ? TICK : TICK_BELOW_ONE)
  const rest = exact.mod(tick)
  const below = exact.minus(rest)
  const level = isAbove || rest.eq(0) ? below : below.plus(tick)
  const isOnItsSide = isAbove ? level.gt(entry) : level.lt(entry)
  return isOnItsSide && level.lt(PRICE_BOUND) ? level : 'impossible'
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
