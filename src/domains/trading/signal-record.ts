import { plain } from '../../lib/decimal.js'
import type { RiskFacts } from './risk-parameters.js'
import type { NewSignal, SignalAnswer } from './signals.schemas.js'
import type { SignalRow } from './signals.sql.js'

/** All that is known of a signal when it is stored. */
export interface SignalRecord {
  readonly signal: NewSignal
  readonly security_id: number
  readonly facts: RiskFacts
  readonly answer: SignalAnswer
  readonly created_at: string
}

/** What a signal rests on, each named once. */
export const evidenceOf = ({ catalyst_context, technical_context }: NewSignal) => ({
  news_ids: [...new Set(catalyst_context.news_ids)],
  patterns: [...new Set(technical_context.patterns)],
})

/** The signal as its table has it. */
export function signalRow(record: SignalRecord): SignalRow {
  const { signal, security_id, facts, answer, created_at } = record
  const { news_ids, patterns } = evidenceOf(signal)
  const { signal_id, status, reasons, risk_parameters, expires_at } = answer
  const { intent, entry_price, atr, stop_price, target_1, target_2, shares } = risk_parameters
  return {
    signal_id,
    account_id: signal.account_id,
    security_id,
    signal_type: signal.signal_type,
    intent,
    confidence: plain(facts.confidence),
    catalyst_type: signal.catalyst_context.catalyst_type?.trim() ?? null,
    catalyst_score: signal.catalyst_context.catalyst_score ?? null,
    catalyst_context: { ...signal.catalyst_context, news_ids },
    technical_context: { ...signal.technical_context, patterns },
    entry_price,
    atr,
    stop_price,
    target_1,
    target_2,
    shares,
    risk_parameters,
    status,
    reasons,
    market_state: facts.market_state,
    created_at,
    updated_at: created_at,
    expires_at,
  }
}
