import { z } from 'zod'
import { declare } from '../../kernel/declare.js'
import { multiple, percent, share } from '../../lib/policy-schemas.js'

/** What a signal must respect before it may become a trade. */
const RISK = z
  .strictObject({
    max_position_pct: percent()
      .default(20)
      .describe('Largest position of full size, in percent of equity.'),
    max_position_pct_pre_market: percent()
      .default(10)
      .describe('The same before the market opens.'),
    confidence_full: share().default(0.7).describe('Above it a position has full size.'),
    confidence_half: share().default(0.5).describe('Above it half size.'),
    confidence_quarter: share().default(0.3).describe('Above it quarter size; below it none.'),
    risk_per_trade_pct: percent()
      .default(2)
      .describe(
        'Most that one trade may lose at its stop, in percent of equity, times confidence.',
      ),
    stop_pct: percent().default(2).describe('Distance of the stop where no ATR is known.'),
    stop_atr: multiple().default(2).describe('Distance of the stop in ATR.'),
    target_1_atr: multiple().default(3).describe('Distance of the first target in ATR.'),
    target_2_atr: multiple().default(4).describe('Distance of the second target in ATR.'),
    min_reward_risk: multiple()
      .default(1.5)
      .describe('Least distance of the first target, as a multiple of that of the stop.'),
    max_open_positions: z
      .int()
      .min(1)
      .default(5)
      .describe('Open positions and pending entries of an account.'),
    max_day_loss_pct: percent()
      .default(4)
      .describe('Realised loss of a day, in percent of equity, at which signals are rejected.'),
    max_trades_per_day: z
      .int()
      .min(1)
      .default(20)
      .describe('Trades of an account and a day: orders that were filled, and pending entries.'),
    min_price: z.number().positive().default(1).describe('Lowest price of a security to trade.'),
    max_price: z.number().positive().default(500).describe('Highest price of a security to trade.'),
    signal_minutes: z
      .number()
      .positive()
      .max(10_080)
      .default(60)
      .describe('A signal that is still pending then has expired.'),
  })
  .refine(
    (risk) =>
      risk.confidence_quarter <= risk.confidence_half &&
      risk.confidence_half <= risk.confidence_full,
    'confidence_quarter, confidence_half and confidence_full must be in this order',
  )
  .refine((risk) => risk.min_price <= risk.max_price, 'min_price must not be above max_price')
  .refine(
    (risk) => risk.target_1_atr <= risk.target_2_atr,
    'target_1_atr must not be above target_2_atr: the first target is the nearer one',
  )

/** What trading declares. */
export const trading = declare({
  policy: {
    risk: RISK,
  },
})
