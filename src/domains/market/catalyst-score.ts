import type { MarketState } from '../../lib/market-clock.js'
import { CATALYST_TYPES, type CatalystType, matchCategories } from './catalyst-categories.js'
import type { ReadHeadline } from './headline.js'

/** Stored beside each score, so that a later formula does not pass for this one. */
export const SCORE_VERSION = 1

/** The factors of a score, as they are answered. */
export interface ScoreComponents {
  readonly tier_weight: number
  readonly recency: number
  readonly keyword_weight: number
  readonly state_multiplier: number
}

/** What a story is about, before anything is known of its source or its age. */
export interface Catalyst {
  /** The matched category of the greatest weight, or null when none matched. */
  readonly type: CatalystType | null
  readonly keyword_weight: number
}

const HOUR_MS = 3_600_000
/** Score v1 lets a story lose all but 1/e of its weight in four hours. */
const DECAY_HOURS = 4
/** The greatest product of the weights, 1.0 · 1.5 · 2.0: it makes the scale 0 to 100. */
const GREATEST_PRODUCT = 3

const KEYWORD_WEIGHTS: Partial<Record<CatalystType, number>> = {
  fda: 1.5,
  merger: 1.3,
  earnings: 1.2,
}

const STATE_MULTIPLIERS: Readonly<Record<MarketState, number>> = {
  'pre-market': 2,
  regular: 1,
  'after-hours': 0.8,
  closed: 1,
  weekend: 1,
}

/** 1.0, 0.8, 0.6, 0.4, 0.2 for tiers 1 to 5. */
const tierWeight = (tier: number): number => (6 - tier) / 5

/** The weight of a category; a story of none weighs as much as the light ones. */
export const keywordWeight = (type: CatalystType | null): number =>
  (type !== null && KEYWORD_WEIGHTS[type]) || 1

/** What a story's words say it is about. */
export function classify(
  headline: string,
  read: Pick<ReadHeadline, 'whole' | 'text'>,
  keywords: readonly string[],
): Catalyst {
  const matched = matchCategories(headline, read, keywords)
  let type: CatalystType | null = null
  for (const category of CATALYST_TYPES) {
    if (!matched.has(category)) continue
    if (type === null || keywordWeight(category) > keywordWeight(type)) type = category
  }
  return { type, keyword_weight: keywordWeight(type) }
}

/** What the factors of a score depend on. */
export interface ScoreFacts {
  readonly tier: number
  /** From publication to persisting; a story from the near future counts as new. */
  readonly age_ms: number
  readonly keyword_weight: number
  readonly market_state: MarketState
}

/** The factors of score v1. */
export const scoreComponents = (facts: ScoreFacts): ScoreComponents => ({
  tier_weight: tierWeight(facts.tier),
  recency: Math.exp(-Math.max(0, facts.age_ms) / HOUR_MS / DECAY_HOURS),
  keyword_weight: facts.keyword_weight,
  state_multiplier: STATE_MULTIPLIERS[facts.market_state],
})

/** Score v1 = min(100, 100 · tier · e^(−h/4) · keyword · state / 3), to the stored three decimals. */
export function catalystScore(components: ScoreComponents): number {
  const { tier_weight, recency, keyword_weight, state_multiplier } = components
  const product = tier_weight * recency * keyword_weight * state_multiplier
  return Math.round(Math.min(100, (100 * product) / GREATEST_PRODUCT) * 1000) / 1000
}
