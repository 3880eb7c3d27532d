import { z } from 'zod'
import { decimalText } from '../../lib/decimal.js'
import { MARKET_STATES } from '../../lib/market-clock.js'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { patternType } from '../../lib/pattern-type.js'
import {
  accountId,
  DEFAULT_ACCOUNT,
  identifier,
  instant,
  kept,
  keptRatio,
  nonEmptyText,
  ratio,
  storedSince,
  symbol,
} from '../../lib/schemas.js'
import { TIMEFRAMES } from '../../lib/timeframes.js'
import { type Indicators, indicatorProblems, isIndicators } from './indicator-values.js'
import { RISK_CHECKS } from './risk-checks.js'
import { SIZE_TIERS } from './risk-levels.js'
import { ATR_SOURCES, INTENTS, RISK_INPUTS, SIGNAL_TYPES } from './risk-parameters.js'

/** What became of a signal. */
const STATUSES = ['pending', 'executed', 'expired', 'cancelled', 'rejected'] as const

const MAX_NEWS = 100
const MAX_PATTERNS = 50
/** Longer than any id, so that a wrong one is not found rather than malformed. */
const MAX_ID = 100

const indicators = z
  .unknown()
  .transform((value, context): Indicators => {
    for (const { field, message } of indicatorProblems(value)) {
      context.addIssue({ code: 'custom', message, path: field === null ? [] : [field] })
    }
    return isIndicators(value) ? value : {}
  })
  .meta({
    type: 'object',
    description:
      'Stored as it is; read from it, with six decimals: entry_price (or entry, price, last_price, close), atr (atr_14), equity (account_equity), timeframe.',
  })

/** A signal as a client sends it. */
export const newSignal = z.strictObject({
  symbol: symbol(),
  signal_type: z.enum(SIGNAL_TYPES).describe('What to do.'),
  confidence: keptRatio('down').describe('0-1; cut to four decimals.'),
  catalyst_context: z
    .strictObject({
      news_ids: z
        .array(identifier(MAX_ID).describe('A news_id.'))
        .max(MAX_NEWS)
        .describe('Stories it rests on.'),
      catalyst_type: nonEmptyText(100).optional().describe('Such as earnings.'),
      catalyst_score: kept(z.number().min(0).max(100), 3)
        .optional()
        .describe('0-100; rounded to three decimals.'),
    })
    .describe('Of the news.'),
  technical_context: z
    .strictObject({
      patterns: z
        .array(patternType().describe('A name.'))
        .max(MAX_PATTERNS)
        .describe('Such as bull_flag.'),
      indicators,
      timeframe: z.enum(TIMEFRAMES).optional().describe('Of the bars it was read from.'),
    })
    .describe('Of the chart.'),
  account_id: accountId().default(DEFAULT_ACCOUNT).describe('Whose fills will execute it.'),
})

/** A valid signal. */
export type NewSignal = z.output<typeof newSignal>

const risk = z.object({
  intent: z.enum(INTENTS).describe('exit: against the open position of the symbol.'),
  size_tier: z.enum(SIZE_TIERS),
  max_position_pct: z.number().describe('Of equity, at full size.'),
  shares: decimalText().nullable(),
  shares_by_risk: decimalText().nullable(),
  shares_by_size: decimalText().nullable(),
  entry_price: decimalText().nullable(),
  stop_price: decimalText().nullable(),
  target_1: decimalText().nullable(),
  target_2: decimalText().nullable(),
  reward_risk: z.number().nullable().describe('Before levels became whole ticks.'),
  atr: decimalText().nullable(),
  atr_source: z.enum(ATR_SOURCES).nullable(),
  atr_timeframe: z.enum(TIMEFRAMES).nullable().describe('Of a stored one.'),
  equity: decimalText().nullable(),
  missing: z.array(z.enum(RISK_INPUTS)).describe('Unknown, so that something here is null.'),
  checks: z.array(
    z.object({
      check: z.enum(RISK_CHECKS),
      passed: z.boolean().nullable().describe('Null: cannot be told.'),
      detail: z.string(),
    }),
  ),
})

/** What is answered about a new signal. */
export const signalAnswer = z.object({
  signal_id: z.string(),
  account_id: z.string(),
  status: z.enum(['pending', 'rejected']),
  reasons: z.array(z.string()),
  risk_parameters: risk,
  expires_at: z.string(),
  warnings: z.array(z.string()),
})

/** The answer about a new signal. */
export type SignalAnswer = z.input<typeof signalAnswer>

/** What is to become of a signal. */
export const statusChange = z.strictObject({
  signal_id: identifier(MAX_ID).describe('Which one.'),
  status: z.enum(['executed', 'expired', 'cancelled', 'rejected']).describe('Its new one.'),
  reason: nonEmptyText(1000).optional().describe('Required with rejected.'),
})

/** A valid change of status. */
export type StatusChange = z.output<typeof statusChange>

/** What is answered about a change of status. */
export const statusAnswer = z.object({
  signal_id: z.string(),
  previous_status: z.enum(STATUSES),
  status: z.enum(STATUSES),
  changed: z.boolean(),
  reason: z.string().nullable(),
})

/** The answer about a change of status. */
export type StatusAnswer = z.output<typeof statusAnswer>

/** A row of a page is about 400 bytes: so many are read at a glance. */
const PAGE = { max: 500, default: 12 }

/** Which signals to list. */
export const signalFilter = z.object({
  account_id: accountId().optional(),
  symbol: symbol().optional(),
  status: z.enum(STATUSES).optional(),
  signal_type: z.enum(SIGNAL_TYPES).optional(),
  min_confidence: z.coerce.number().pipe(ratio()).optional(),
  since: instant().optional().describe('Created at or after it.'),
  until: instant().optional().describe('Created before it.'),
  stored_since: storedSince(),
  ...pageParameters(['instant', 'text'], PAGE),
})

/** Valid filters. */
export type SignalFilter = z.output<typeof signalFilter>

const signalItem = z.object({
  signal_id: z.string(),
  account_id: z.string(),
  symbol: z.string(),
  signal_type: z.enum(SIGNAL_TYPES),
  intent: z.enum(INTENTS),
  confidence: z.number(),
  status: z.enum(STATUSES).describe('expired as soon as a pending one is past expires_at.'),
  reasons: z.array(z.string()).describe('Why it was rejected.'),
  shares: decimalText().nullable().describe('Its size.'),
  entry_price: decimalText().nullable(),
  stop_price: decimalText().nullable(),
  target_1: decimalText().nullable(),
  target_2: decimalText().nullable(),
  created_at: z.string(),
  expires_at: z.string(),
})

/** A page of signals. */
export const signalPage = z.object({ items: z.array(signalItem), next_cursor: NEXT_CURSOR })

/** One signal of a page. */
export type SignalItem = z.input<typeof signalItem>

/** Which signal to read. */
export const signalKey = z.object({ signal_id: identifier(MAX_ID) })

/** One signal in full. */
export const signalDetails = signalItem.extend({
  reasons: z.array(z.string()).describe('Why it has its status.'),
  status_reason: z.string().nullable().describe('In the words of whoever changed the status.'),
  filled_quantity: decimalText().describe('By fills of its account on its side.'),
  fills: z.int(),
  catalyst_type: z.string().nullable(),
  catalyst_score: z.number().nullable(),
  news_ids: z.array(z.string()),
  patterns: z.array(
    z.object({
      pattern_type: z.string(),
      pattern_id: z.number().nullable().describe('The detection it rests on.'),
    }),
  ),
  indicators: z.unknown().describe('As they were sent.'),
  risk_parameters: risk,
  market_state: z.enum(MARKET_STATES),
  updated_at: z.string(),
})

/** One signal in full. */
export type SignalDetails = z.input<typeof signalDetails>
