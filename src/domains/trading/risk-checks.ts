import { type Decimal, decimal, plain } from '../../lib/decimal.js'
import { type Levels, percentOf, priceOf, type RiskLimits, type SizeTier } from './risk-levels.js'

/** What must hold before a position may be opened. */
export const RISK_CHECKS = [
  'confidence',
  'price',
  'levels',
  'reward_risk',
  'size',
  'open_positions',
  'symbol_position',
  'day_loss',
  'trades_today',
] as const

/** One check; `passed` is null where it cannot be told. */
export interface RiskCheck {
  readonly check: (typeof RISK_CHECKS)[number]
  readonly passed: boolean | null
  readonly detail: string
}

/** What an account holds, is about to hold, and did today, the day being New York's. */
export interface AccountFacts {
  readonly open_positions: number
  /** Of the open position in the signal's symbol; null when there is none. */
  readonly direction: 'long' | 'short' | null
  /** Entries that are neither traded nor over yet. */
  readonly pending_entries: number
  /** Those among them in symbols without an open position: each will need a place. */
  readonly pending_positions: number
  /** The pending entry in the signal's symbol; null when there is none. */
  readonly pending_signal_id: string | null
  /** Orders that were filled: partial fills of one are one trade. */
  readonly trades_today: number
  /** What today's fills realised less their fees, exact decimal text. */
  readonly result_today: string
}

/** What an entry is checked by. */
export interface EntryFacts {
  readonly confidence: Decimal
  readonly size_tier: SizeTier
  readonly entry_price: Decimal | null
  readonly equity: Decimal | null
  readonly levels: Levels
  readonly shares: Decimal | null
  readonly account: AccountFacts
}

/** All checks of an entry, in the order of their names. */
export const entryChecks = (facts: EntryFacts, limits: RiskLimits): RiskCheck[] => [
  {
    check: 'confidence',
    passed: facts.size_tier !== 'none',
    detail: `${plain(facts.confidence)}, must be above ${limits.confidence_quarter}`,
  },
  priceCheck(facts, limits),
  levelCheck(facts),
  rewardRiskCheck(facts, limits),
  sizeCheck(facts),
  ...accountChecks(facts, limits),
]

function priceCheck({ entry_price }: EntryFacts, limits: RiskLimits): RiskCheck {
  const must = `must be ${limits.min_price} to ${limits.max_price}`
  if (entry_price === null) return { check: 'price', passed: null, detail: `unknown, ${must}` }
  return {
    check: 'price',
    passed: entry_price.gte(limits.min_price) && entry_price.lte(limits.max_price),
    detail: `${plain(entry_price)}, ${must}`,
  }
}

function levelCheck({ levels }: EntryFacts): RiskCheck {
  const { stop_price, target_1, target_2 } = levels
  const named = Object.entries({ stop_price, target_1, target_2 })
  const namesOf = (what: 'impossible' | null) =>
    named.flatMap(([name, level]) => (level === what ? name : []))
  const [impossible, unknown] = [namesOf('impossible'), namesOf(null)]
  const bad = impossible.length > 0 ? impossible : unknown
  const detail = impossible.length > 0 ? 'not a price on its side of the entry' : 'unknown'
  if (bad.length === 0) return { check: 'levels', passed: true, detail: 'stop and targets are set' }
  return {
    check: 'levels',
    passed: impossible.length > 0 ? false : null,
    detail: `${bad.join(', ')}: ${detail}`,
  }
}

function rewardRiskCheck(facts: EntryFacts, limits: RiskLimits): RiskCheck {
  const must = `must be at least ${limits.min_reward_risk}`
  const distances = distancesOf(facts)
  if (!distances) return { check: 'reward_risk', passed: null, detail: `unknown, ${must}` }
  return {
    check: 'reward_risk',
    passed: distances.reward.gte(distances.risk.times(limits.min_reward_risk)),
    detail: `${rewardRiskOf(facts)}, ${must}`,
  }
}

type Placed = Pick<EntryFacts, 'levels'>

/** The distances that the policy asks for: whole ticks must not decide whether they are enough. */
function distancesOf({ levels }: Placed) {
  const { risk, reward } = levels
  const isPlaced = priceOf(levels.stop_price) && priceOf(levels.target_1)
  return isPlaced && risk && reward ? { risk, reward } : null
}

/** How many times the loss at the stop the gain at the first target is, before rounding to ticks. */
export function rewardRiskOf(placed: Placed): number | null {
  const distances = distancesOf(placed)
  return distances ? distances.reward.div(distances.risk).toNumber() : null
}

function sizeCheck({ shares }: EntryFacts): RiskCheck {
  const must = 'must be at least 1'
  if (shares === null) return { check: 'size', passed: null, detail: `shares unknown, ${must}` }
  return { check: 'size', passed: shares.gte(1), detail: `${plain(shares)} shares, ${must}` }
}

function accountChecks({ account, equity }: EntryFacts, limits: RiskLimits): RiskCheck[] {
  const { open_positions, pending_positions, trades_today, pending_entries } = account
  return [
    {
      check: 'open_positions',
      passed: open_positions + pending_positions < limits.max_open_positions,
      detail: `${open_positions} open${andPending(pending_positions)}, must be below ${limits.max_open_positions}`,
    },
    symbolCheck(account),
    dayLossCheck(account, equity, limits),
    {
      check: 'trades_today',
      passed: trades_today + pending_entries < limits.max_trades_per_day,
      detail: `${trades_today} trades${andPending(pending_entries)}, must be below ${limits.max_trades_per_day}`,
    },
  ]
}

const andPending = (entries: number): string => (entries === 0 ? '' : ` and ${entries} pending`)

/** A second entry in a symbol waits for what becomes of the first. */
function symbolCheck({ direction, pending_signal_id }: AccountFacts): RiskCheck {
  const pending = pending_signal_id === null ? '' : ` and the entry ${pending_signal_id} pending`
  return {
    check: 'symbol_position',
    passed: direction === null && pending_signal_id === null,
    detail: `${direction ?? 'none'} open${pending} in the symbol, must be none`,
  }
}

function dayLossCheck(
  { result_today }: AccountFacts,
  equity: Decimal | null,
  limits: RiskLimits,
): RiskCheck {
  const loss = decimal(result_today).neg()
  const must = `must be below ${limits.max_day_loss_pct} % of equity`
  const lost = plain(loss.gt(0) ? loss : decimal(0))
  if (equity === null) {
    return { check: 'day_loss', passed: null, detail: `${lost}, ${must}, which is unknown` }
  }
  const most = percentOf(limits.max_day_loss_pct, equity)
  return { check: 'day_loss', passed: loss.lt(most), detail: `${lost}, ${must}: ${plain(most)}` }
}
