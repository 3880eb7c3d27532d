import { z } from 'zod'
import { decimalText, money, price, quantity } from '../../lib/decimal.js'
import {
  accountId,
  DEFAULT_ACCOUNT,
  identifier,
  instant,
  nonEmptyText,
  symbol,
} from '../../lib/schemas.js'

const EARLIEST = '1970-01-01T00:00:00Z'

/** A fill as a trading service sends it. */
export const tradeExecution = z.strictObject({
  symbol: symbol(),
  side: z
    .enum(['buy', 'sell'], {
      error:
        'must be "buy" or "sell"; whether that opens a long or a short position follows from what is open',
    })
    .describe('What you did.'),
  quantity: quantity().describe('Shares filled.'),
  execution_details: z
    .strictObject({
      order_type: z.enum(['market', 'limit']).describe('Of the order.'),
      fill_price: price().describe('Per share.'),
      fill_time: instant()
        .refine((value) => !(Date.parse(value) < 0), `must not be before ${EARLIEST}`)
        .describe('ISO 8601 with zone.'),
    })
    .describe('The fill.'),
  catalyst_tracking: z
    .strictObject({
      entry_catalyst: nonEmptyText(200).nullish().describe('In words.'),
      entry_news_id: identifier(64).nullish().describe('Its story.'),
    })
    .optional()
    .describe('Why the position was opened; exits need none.'),
  signal_id: identifier(64).optional().describe('It executes this.'),
  account_id: accountId().default(DEFAULT_ACCOUNT).describe('Who traded.'),
  execution_id: identifier(200).optional().describe("The broker's id of this fill."),
  order_id: identifier(200)
    .optional()
    .describe("The broker's id of the order: its partial fills are one trade of the day."),
  fees: money().default('0').describe('Below 0 for a rebate.'),
})

/** A valid fill. */
export type TradeExecution = z.output<typeof tradeExecution>

const figures = {
  position_id: z.string(),
  direction: z.enum(['long', 'short']),
  status: z.enum(['open', 'closed']),
  qty_open: decimalText(),
  avg_entry_price: decimalText().describe('Of what is open; once closed, of all that was opened.'),
  realized_pnl: decimalText().describe('Before fees.'),
  fees: decimalText(),
  net_pnl: decimalText().describe('realized_pnl less fees.'),
}

const outcome = z.enum(['win', 'loss', 'scratch'])

/** What is answered about one fill. */
export const tradeAnswer = z.object({
  trade_id: z.string(),
  position_updated: z.boolean().describe('False: this fill was known.'),
  duplicate: z.boolean(),
  is_late: z.boolean().describe('Filled before a fill that was recorded earlier.'),
  position: z.object(figures).describe('What the fill left: of a reversal the new one.'),
  closed_position: z.object({ ...figures, outcome, net_return_bps: decimalText() }).optional(),
  warnings: z.array(z.string()),
})

/** The answer about a fill. */
export type TradeAnswer = z.output<typeof tradeAnswer>

/** One position as lists show it. */
export const positionItem = z.object({
  ...figures,
  account_id: z.string(),
  symbol: z.string(),
  qty_total: decimalText(),
  opened_at: z.string(),
  closed_at: z.string().nullable(),
  trading_date: z.string().describe('The New York day on which it was opened.'),
  outcome: outcome.nullable(),
  net_return_bps: decimalText().nullable(),
  exit_reason: z.string().nullable(),
  opening_signal_id: z.string().nullable(),
  entry_catalyst: z.string().nullable(),
  entry_news_id: z.string().nullable(),
  learned_at: z.string().nullable().describe('When sync_catalyst_outcomes drew its lesson.'),
  no_evidence_reason: z.string().nullable(),
})

/** One position as lists show it. */
export type PositionItem = z.output<typeof positionItem>

/** One fill as lists show it. */
export const tradeItem = z.object({
  trade_id: z.string(),
  account_id: z.string(),
  execution_id: z.string().nullable(),
  order_id: z.string().nullable(),
  signal_id: z.string().nullable(),
  symbol: z.string(),
  side: z.enum(['buy', 'sell']),
  quantity: decimalText(),
  order_type: z.enum(['market', 'limit']),
  fill_price: decimalText(),
  fees: decimalText(),
  fill_time: z.string(),
  entry_catalyst: z.string().nullable(),
  entry_news_id: z.string().nullable(),
  is_late: z.boolean(),
  positions: z.array(
    z.object({
      position_id: z.string(),
      effect: z.enum(['open', 'close']),
      quantity: decimalText(),
      realized_pnl: decimalText(),
      fees: decimalText(),
      net_pnl: decimalText(),
    }),
  ),
})

/** One fill as lists show it. */
export type TradeItem = z.output<typeof tradeItem>
