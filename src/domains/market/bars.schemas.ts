import { z } from 'zod'
import { decimalOf, decimalText, price } from '../../lib/decimal.js'
import { toJsonSchema } from '../../lib/json-schema.js'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { instant, storedSince, symbol } from '../../lib/schemas.js'
import { TIMEFRAMES } from '../../lib/timeframes.js'

/** The most bars one call takes. */
const MAX_BARS = 10_000

/** A bar as a client sends it. */
export const priceBar = z.strictObject({
  ts: instant()
    .optional()
    .describe(
      'An instant of it, best its start; ISO 8601 with zone. A day or week: midnight UTC of its date, or any instant of it in New York.',
    ),
  timestamp: instant().optional().describe('Another name of ts.'),
  open: price().describe('First price.'),
  high: price().describe('Highest.'),
  low: price().describe('Lowest.'),
  close: price().describe('Last price.'),
  volume: decimalOf({ digits: 18, decimals: 6, sign: 'not negative' })
    .default('0')
    .describe('Traded.'),
})

const barJsonSchema = toJsonSchema(priceBar, 'input')

/**
 * Bars of one series. They are described to clients as bars but accepted as anything: each is checked
 * on its own, so that a bad one is reported with its index and the others are stored.
 */
export const priceBars = z.strictObject({
  symbol: symbol(),
  timeframe: z.enum(TIMEFRAMES).describe('Of each bar.'),
  bars: z
    .array(z.unknown().meta({ ...barJsonSchema, description: 'A bar.' }))
    .min(1)
    .max(MAX_BARS)
    .describe('In any order.'),
})

/** Bars that are still to be checked. */
export type PriceBars = z.output<typeof priceBars>

/** What became of the bars. */
export const priceBarsAnswer = z.object({
  stored: z.int(),
  replaced: z.int().describe('Known bars that now have other values, also within the call.'),
  unchanged: z.int().describe('Known bars sent again, and repeats within the call.'),
  rejected: z.int(),
  errors: z.array(z.object({ index: z.int(), code: z.string(), message: z.string() })),
})

/** The answer about the bars of a call. */
export type PriceBarsAnswer = z.output<typeof priceBarsAnswer>

/** A row of a page is about 350 bytes: so many are read at a glance. */
const PAGE = { max: 500, default: 20 }

/** Which bars to list. */
export const barFilter = z.object({
  symbol: symbol().optional(),
  timeframe: z.enum(TIMEFRAMES).optional(),
  since: instant().optional().describe('Begun at or after it.'),
  until: instant().optional().describe('Begun before it.'),
  stored_since: storedSince(),
  ...pageParameters(['instant', 'int', 'text'], PAGE),
})

/** Valid filters. */
export type BarFilter = z.output<typeof barFilter>

const barItem = z.object({
  symbol: z.string(),
  timeframe: z.enum(TIMEFRAMES),
  ts: z
    .string()
    .describe("Its start; of a day and a week midnight in New York, of the week's Monday."),
  ends_at: z.string().describe('When its close was known: of a day and a week the last close.'),
  open: decimalText(),
  high: decimalText(),
  low: decimalText(),
  close: decimalText(),
  volume: decimalText(),
  atr_14: decimalText().nullable().describe("Wilder's; null for the first 14 bars of a series."),
  sma_20: decimalText().nullable().describe('Null for the first 19 bars.'),
  revision: z.int().describe('How often it got other values.'),
  recorded_at: z.string(),
})

/** A page of bars. */
export const barPage = z.object({ items: z.array(barItem), next_cursor: NEXT_CURSOR })

/** A bar as listed. */
export type BarItem = z.output<typeof barItem>
