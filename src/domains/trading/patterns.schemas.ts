import { z } from 'zod'
import { decimalOf, decimalText, price } from '../../lib/decimal.js'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { normalName, patternType } from '../../lib/pattern-type.js'
import { instant, kept, keptRatio, nonEmptyText, storedSince, symbol } from '../../lib/schemas.js'
import { RATE_LEVELS } from '../../lib/success-rate.js'
import { TIMEFRAMES } from '../../lib/timeframes.js'

/** Stands for "no catalyst" where statistics are kept. */
const NO_CATALYST = 'none'
const EVIDENCE_BYTES = 16 * 1024
const MOVE_BPS = { digits: 28, decimals: 4, sign: 'any' } as const

const catalystType = nonEmptyText(100)
  .transform(normalName)
  .pipe(
    z
      .string()
      .max(100)
      .refine((name) => name !== NO_CATALYST, 'must name a kind; without one, has_catalyst: false'),
  )

const catalystAlignment = z
  .strictObject({
    has_catalyst: z.boolean().describe('News is behind it.'),
    catalyst_type: catalystType.optional().describe('Such as earnings.'),
    alignment_score: kept(z.number().min(-1).max(1), 4).describe(
      '-1 to 1: below 0 the news speaks against the pattern.',
    ),
  })
  .refine((given) => given.has_catalyst || given.catalyst_type === undefined, {
    path: ['catalyst_type'],
    error: 'must be left out when has_catalyst is false',
  })
  .refine((given) => given.has_catalyst || given.alignment_score === 0, {
    path: ['alignment_score'],
    error: 'must be 0 when has_catalyst is false',
  })
  .describe('Its news.')

const detectedAt = instant().refine(
  (value) => !(Date.parse(value) < 0),
  'must not be before 1970-01-01T00:00:00Z',
)

/** How long the bars are. */
export const timeframe = z.enum(TIMEFRAMES)

/** A detection as a client sends it. */
export const patternDetection = z.strictObject({
  symbol: symbol(),
  pattern_type: patternType().describe('Such as bull_flag; an unknown one is registered.'),
  confidence: keptRatio().describe('0-1; four decimals.'),
  catalyst_alignment: catalystAlignment,
  timeframe: timeframe.default('5m').describe('Of its bars.'),
  direction: z
    .enum(['bullish', 'bearish', 'neutral'])
    .optional()
    .describe('That of the pattern type unless given.'),
  detected_at: detectedAt.optional().describe('Now unless given; ISO 8601 with zone.'),
  price: price().optional().describe('When it was detected.'),
})

/** A valid detection. */
export type PatternDetection = z.output<typeof patternDetection>

const rateFields = {
  historical_success_rate: z.number().min(0).max(1).describe('0.5 while nothing is known.'),
  sample_size: z.int().describe('Known outcomes at this level.'),
}

/** What is answered about a detection. */
export const patternAnswer = z.object({
  pattern_id: z.int(),
  ...rateFields,
  interval: z.object({ low: z.number(), high: z.number() }).describe('Wilson, 95 %.'),
  level: z.enum(RATE_LEVELS).describe('The most specific level with outcomes.'),
  duplicate: z.boolean().describe('True: it was known; the stored one is answered.'),
  warnings: z.array(z.string()),
})

/** The answer about a detection. */
export type PatternAnswer = z.output<typeof patternAnswer>

/** PostgreSQL stores neither NUL nor lone surrogates, wherever in a document they are. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).flat().every(isStorable)
}

const evidence = z
  .union([z.record(z.string(), z.unknown()), z.string()], 'must be an object or a text')
  .refine(
    (value) => Buffer.byteLength(JSON.stringify(value)) <= EVIDENCE_BYTES,
    'must be at most 16 KB of JSON',
  )
  .refine(isStorable, 'must not contain NUL characters or lone surrogates')

/** An outcome as a client knows it. */
export const patternOutcome = z.strictObject({
  pattern_id: z.int().positive().describe('Which one.'),
  success: z.boolean().describe('It came true.'),
  actual_move: decimalOf(MOVE_BPS)
    .optional()
    .describe("Basis points, positive in the pattern's direction."),
  evidence: evidence.optional().describe('Anything that backs it.'),
})

/** A valid outcome. */
export type PatternOutcome = z.output<typeof patternOutcome>

const status = z.enum(['pending', 'resolved', 'unresolvable'])
const method = z.enum(['trade', 'price', 'manual'])

/** What is answered about an outcome. */
export const outcomeAnswer = z.object({
  pattern_id: z.int(),
  changed: z.boolean(),
  previous: z.object({
    status,
    success: z.boolean().nullable(),
    method: method.nullable(),
  }),
  status,
  success: z.boolean(),
  method,
  move_bps: decimalText().nullable(),
  ...rateFields,
})

/** The answer about an outcome. */
export type OutcomeAnswer = z.output<typeof outcomeAnswer>

/** How often patterns of one kind came true. */
const patternStatistic = z.object({
  pattern_type: z.string(),
  timeframe,
  catalyst: z.string().describe('none: without one; unspecified: of unknown kind.'),
  n: z.int().describe('Known outcomes.'),
  wins: z.int(),
  rate: z.number().nullable().describe('wins / n, null at 0.'),
  ci_low: z.number(),
  ci_high: z.number().describe('Wilson interval of the rate, 95 %.'),
  shrunk: z
    .number()
    .describe('historical_success_rate: the rate drawn towards that of more general levels.'),
})

/** A page of statistics. */
export const statisticsPage = z.object({
  items: z.array(patternStatistic),
  next_cursor: NEXT_CURSOR,
})

/** A row of a page is about 500 bytes: so many are read at a glance. */
const PAGE = { max: 500, default: 12 }

/** Which detections to list. */
export const detectionFilter = z.object({
  symbol: symbol().optional(),
  pattern_type: patternType().optional(),
  timeframe: timeframe.optional(),
  status: status.optional().describe('Of the outcome.'),
  since: instant().optional().describe('Detected at or after it.'),
  until: instant().optional().describe('Detected before it.'),
  stored_since: storedSince(),
  ...pageParameters(['instant', 'bigint'], PAGE),
})

/** Valid filters. */
export type DetectionFilter = z.output<typeof detectionFilter>

const detectionItem = z.object({
  pattern_id: z.int(),
  symbol: z.string(),
  pattern_type: z.string(),
  timeframe,
  direction: z.enum(['bullish', 'bearish', 'neutral']),
  confidence: z.number(),
  detected_at: z.string(),
  price: decimalText().nullable(),
  has_catalyst: z.boolean(),
  catalyst_type: z.string().nullable(),
  alignment_score: z.number(),
  status: status.describe('Of the outcome.'),
  success: z.boolean().nullable().describe('Null while pending, and for a scratch.'),
  method: method.nullable(),
  move_bps: decimalText().nullable().describe("Positive in the pattern's direction."),
  minutes: decimalText().nullable().describe('From the detection to what decided.'),
  position_id: z.string().nullable(),
  reason: z.string().nullable().describe('Why it is not known, or what to know of it.'),
  updated_at: z.string(),
})

/** A page of detections. */
export const detectionPage = z.object({ items: z.array(detectionItem), next_cursor: NEXT_CURSOR })

/** A detection as listed. */
export type DetectionItem = z.output<typeof detectionItem>
