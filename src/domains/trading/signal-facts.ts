import { AppError } from '../../errors.js'
import { decimal } from '../../lib/decimal.js'
import { marketState, newYorkDay, newYorkInstant } from '../../lib/market-clock.js'
import type { Timeframe } from '../../lib/timeframes.js'
import { instantText } from '../../lib/utc-text.js'
import { givenTimeframe, givenValues } from './indicator-values.js'
import type { RiskFacts } from './risk-parameters.js'
import type { NewSignal } from './signals.schemas.js'
import type { FactsKey, FactsRow } from './signals.sql.js'
import { atrTimeframes, freshAtr, oldestBar } from './stored-atr.js'

/** What must be read before the risk of a signal can be told. */
export function factsKey(signal: NewSignal, security_id: number, nowMs: number): FactsKey {
  const { catalyst_context, account_id } = signal
  const day = newYorkDay(nowMs)
  return {
    security_id,
    account_id,
    news_ids: catalyst_context.news_ids,
    day_start: instantText(newYorkInstant(day, 0)),
    day_end: instantText(newYorkInstant(day + 1, 0)),
    atr_bars: atrSources(signal).map((timeframe) => ({
      timeframe,
      since: instantText(oldestBar(timeframe, nowMs)),
    })),
    now: instantText(nowMs),
  }
}

/** What the client gave, completed by what is stored. */
export function riskFacts(signal: NewSignal, stored: FactsRow, nowMs: number): RiskFacts {
  const given = givenValues(signal.technical_context.indicators)
  const found = given.atr ? null : freshAtr(stored.atrs, atrSources(signal), nowMs)
  return {
    ...given,
    signal_type: signal.signal_type,
    confidence: decimal(signal.confidence),
    market_state: marketState(nowMs),
    atr: given.atr ?? found?.atr ?? null,
    atr_source: given.atr ? 'client' : found && 'stored',
    atr_timeframe: found?.timeframe ?? null,
    tick_size: stored.tick_size === null ? null : decimal(stored.tick_size),
    account: stored,
  }
}

/** The timeframes whose stored ATR would serve, best first. */
function atrSources({ signal_type, technical_context }: NewSignal): Timeframe[] {
  const { indicators, timeframe = givenTimeframe(indicators) } = technical_context
  return signal_type === 'HOLD' || givenValues(indicators).atr ? [] : atrTimeframes(timeframe)
}

/**
 * Refuses evidence that does not exist.
 *
 * @throws AppError `not_found` that tells the story by its index
 */
export function assertKnown(newsIds: readonly string[], known: readonly string[]): void {
  const found = new Set(known)
  const index = newsIds.findIndex((id) => !found.has(id))
  if (index < 0) return
  throw new AppError('not_found', `catalyst_context.news_ids[${index}]: there is no such story.`, {
    hint: 'Nothing was stored. Persist the story first and pass the news_id that is answered.',
  })
}

/** What a reader of the answer may not expect. */
export function factWarnings(facts: RiskFacts): string[] {
  const warnings: string[] = []
  if (facts.atr_source === 'stored') {
    warnings.push(`atr: that of the stored ${facts.atr_timeframe} bars, as none was given`)
  }
  return warnings
}
