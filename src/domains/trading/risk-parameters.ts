import { type Decimal, plain } from '../../lib/decimal.js'
import type { MarketState } from '../../lib/market-clock.js'
import type { Timeframe } from '../../lib/timeframes.js'
import { type AccountFacts, entryChecks, type RiskCheck, rewardRiskOf } from './risk-checks.js'
import {
  levelsOf,
  priceOf,
  type RiskLimits,
  type SizeTier,
  sharesOf,
  sizeTierOf,
} from './risk-levels.js'

/** What a signal asks for. */
export const SIGNAL_TYPES = ['BUY', 'SELL', 'HOLD'] as const

/** What a signal would do: open a position, leave the one that is open, or nothing. */
export const INTENTS = ['entry', 'exit', 'none'] as const

/** Where an ATR came from. */
export const ATR_SOURCES = ['client', 'stored'] as const

/** What an entry needs to be sized and placed. */
export const RISK_INPUTS = ['entry_price', 'atr', 'equity'] as const

/** What the parameters of one signal are computed from. */
export interface RiskFacts {
  readonly signal_type: (typeof SIGNAL_TYPES)[number]
  readonly confidence: Decimal
  readonly market_state: MarketState
  readonly entry_price: Decimal | null
  readonly atr: Decimal | null
  readonly atr_source: (typeof ATR_SOURCES)[number] | null
  /** Whose bars a stored ATR is of. */
  readonly atr_timeframe: Timeframe | null
  readonly equity: Decimal | null
  /** The least step of the security's price; null where the market's rule holds. */
  readonly tick_size: Decimal | null
  readonly account: AccountFacts
}

/** Size, levels and checks of a signal, as they are answered and stored; decimals are text. */
export interface RiskParameters {
  readonly intent: (typeof INTENTS)[number]
  readonly size_tier: SizeTier
  readonly max_position_pct: number
  readonly shares: string | null
  readonly shares_by_risk: string | null
  readonly shares_by_size: string | null
  readonly entry_price: string | null
  readonly stop_price: string | null
  readonly target_1: string | null
  readonly target_2: string | null
  readonly reward_risk: number | null
  readonly atr: string | null
  readonly atr_source: RiskFacts['atr_source']
  readonly atr_timeframe: RiskFacts['atr_timeframe']
  readonly equity: string | null
  readonly missing: (typeof RISK_INPUTS)[number][]
  readonly checks: RiskCheck[]
}

/** The parameters of a signal. What opens nothing has no size, no levels and nothing to check. */
export function riskParameters(facts: RiskFacts, limits: RiskLimits): RiskParameters {
  const { signal_type } = facts
  const intent = intentOf(facts)
  const given = {
    intent,
    max_position_pct: largestPosition(facts.market_state, limits),
    entry_price: textOf(facts.entry_price),
    atr: textOf(facts.atr),
    atr_source: facts.atr_source,
    atr_timeframe: facts.atr_timeframe,
    equity: textOf(facts.equity),
  }
  if (intent !== 'entry' || signal_type === 'HOLD') return { ...given, ...opensNothing() }
  return { ...given, ...entryOf({ ...facts, signal_type }, given.max_position_pct, limits) }
}

/** Why a signal is rejected: the checks that failed, in words. */
export const rejections = ({ checks }: RiskParameters): string[] =>
  checks.flatMap(({ check, passed, detail }) => (passed === false ? `${check}: ${detail}` : []))

const opensNothing = () => ({
  size_tier: 'none' as const,
  shares: null,
  shares_by_risk: null,
  shares_by_size: null,
  stop_price: null,
  target_1: null,
  target_2: null,
  reward_risk: null,
  missing: [],
  checks: [],
})

/** Whoever sells what he is long of, or buys what he is short of, wants to get out. */
function intentOf({ signal_type, account }: RiskFacts): RiskParameters['intent'] {
  if (signal_type === 'HOLD') return 'none'
  const leaves = signal_type === 'SELL' ? 'long' : 'short'
  return account.direction === leaves ? 'exit' : 'entry'
}

const largestPosition = (state: MarketState, limits: RiskLimits): number =>
  state === 'pre-market' ? limits.max_position_pct_pre_market : limits.max_position_pct

function entryOf(
  facts: RiskFacts & { readonly signal_type: 'BUY' | 'SELL' },
  max_position_pct: number,
  limits: RiskLimits,
) {
  const size_tier = sizeTierOf(facts.confidence, limits)
  const levels = levelsOf(facts, limits)
  const { shares, shares_by_risk, shares_by_size } = sharesOf(
    { ...facts, size_tier, max_position_pct },
    limits,
  )
  return {
    size_tier,
    shares: textOf(shares),
    shares_by_risk: textOf(shares_by_risk),
    shares_by_size: textOf(shares_by_size),
    stop_price: textOf(priceOf(levels.stop_price)),
    target_1: textOf(priceOf(levels.target_1)),
    target_2: textOf(priceOf(levels.target_2)),
    reward_risk: rewardRiskOf({ levels }),
    missing: RISK_INPUTS.filter((name) => facts[name] === null),
    checks: entryChecks({ ...facts, size_tier, levels, shares }, limits),
  }
}

const textOf = (value: Decimal | null): string | null => (value === null ? null : plain(value))
