import { z } from 'zod'
import { decimalOf, price } from '../../lib/decimal.js'
import { toJsonSchema } from '../../lib/json-schema.js'
import { instant, symbol } from '../../lib/schemas.js'
import { TIMEFRAMES } from '../../lib/timeframes.js'

/** The most bars one call takes. */
const MAX_BARS = 10_000

/** A bar as a client sends it. */
export const priceBar = z.strictObject({
  ts: instant()
    .optional()
    .describe(
      'An instant of the bar, its start for preference; ISO 8601 with zone. A day: midnight UTC of its date, or any instant of it in New York; a week: the same of one of its weekdays.',
    ),
  timestamp: instant().optional().describe('Another name of ts.'),
  open: price(),
  high: price(),
  low: price(),
  close: price(),
  volume: decimalOf({ digits: 18, decimals: 6, sign: 'not negative' }).default('0'),
})

const barJsonSchema = toJsonSchema(priceBar, 'input')

/**
 * Bars of one series. They are described to clients as bars but accepted as anything: each is checked
 * on its own, so that a bad one is reported with its index and the others are stored.
 */
export const priceBars = z.strictObject({
  symbol: symbol(),
  timeframe: z.enum(TIMEFRAMES),
  bars: z.array(z.unknown().meta(barJsonSchema)).min(1).max(MAX_BARS),
})

/** Bars that are still to be checked. */
export type PriceBars = z.output<typeof priceBars>

/** What became of the bars. */
export const priceBarsAnswer = z.object({
  stored: z.int().describe('New bars.'),
  replaced: z.int().describe('Known bars that now have other values, also within the call.'),
  unchanged: z.int().describe('Known bars sent again, and repeats within the call.'),
  rejected: z.int(),
  errors: z.array(z.object({ index: z.int(), code: z.string(), message: z.string() })),
})

/** The answer about the bars of a call. */
export type PriceBarsAnswer = z.output<typeof priceBarsAnswer>
