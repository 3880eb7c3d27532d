import { z } from 'zod'
import { toJsonSchema } from '../../lib/json-schema.js'
import { MARKET_STATES } from '../../lib/market-clock.js'
import { instant, keptRatio, nonEmptyText, symbol, text } from '../../lib/schemas.js'
import { CATALYST_TYPES } from './catalyst-categories.js'

/** The most articles one batch takes. */
const MAX_BATCH = 10_000

/** Before this no story of this market has ever been sent; PostgreSQL and the calendar both reach it. */
const EARLIEST = '1970-01-01T00:00:00Z'
const EARLIEST_MS = 0

const isWebAddress = (value: string): boolean => /^https?:\/\//i.test(value) && URL.canParse(value)

const webAddress = text(2048).refine(isWebAddress, 'must be an http or https URL')

const publishedTimestamp = instant().refine(
  (value) => !(Date.parse(value) < EARLIEST_MS),
  `must not be before ${EARLIEST}`,
)

const NO_INDICATORS = { keywords: [], urgency_score: 0 }

/** What the client knows of a story beside its text; what it leaves out says nothing. */
const catalystIndicators = z
  .strictObject({
    keywords: z
      .array(nonEmptyText(100).describe('A word.'))
      .max(50)
      .default([])
      .describe('Topics.'),
    urgency_score: keptRatio().default(0).describe('0-1; four decimals.'),
    market_state: z
      .enum(MARKET_STATES)
      .optional()
      .describe('As you saw it; the server computes its own.'),
  })
  .default(NO_INDICATORS)
  .describe('What you know of it.')

/** A story as a client sends it. */
export const newsArticle = z.strictObject({
  headline: nonEmptyText(2000).describe('As published.'),
  source: nonEmptyText(200).describe('Outlet, by name or alias.'),
  symbol: symbol().optional().describe('Whom it is about.'),
  published_timestamp: publishedTimestamp.describe('ISO 8601 with zone.'),
  catalyst_indicators: catalystIndicators,
  url: webAddress.optional().describe('Of the story.'),
  snippet: text(10_000).optional().describe('Its beginning.'),
})

/** A valid story. */
export type NewsArticle = z.output<typeof newsArticle>

const newsIdField = z.string().describe('nws_ and 32 hexadecimal digits')
const scoreField = z.number().min(0).max(100).describe('0-100 at the time of persisting')

/** Where a story is expected to move the price. */
export const expectedDirection = z
  .int()
  .min(-1)
  .max(1)
  .describe('-1, 0 or 1, by the words of the headline; 0 where unsure.')

/** What is answered about one story. */
export const newsAnswer = z.object({
  news_id: newsIdField,
  catalyst_score: scoreField,
  source_metrics_updated: z.boolean().describe('Whether the totals of the source changed.'),
  duplicate: z.boolean().describe('True: the story was known; the stored one is answered.'),
  market_state: z.enum(MARKET_STATES).describe('At the instant of publication.'),
  catalyst_type: z.enum(CATALYST_TYPES).nullable(),
  expected_direction: expectedDirection,
  cluster_id: z
    .string()
    .nullable()
    .describe(
      'Of all that tell the same and contradict in nothing; later stories may change it. Null without a symbol.',
    ),
  score_components: z.object({
    tier_weight: z.number(),
    recency: z.number(),
    keyword_weight: z.number(),
    state_multiplier: z.number(),
  }),
  warnings: z.array(z.string()),
})

/** The answer about one story. */
export type NewsAnswer = z.output<typeof newsAnswer>

const articleJsonSchema = toJsonSchema(newsArticle, 'input')

/**
 * A batch. Its items are described to clients as articles but accepted as anything: each is checked
 * on its own, so that a bad one is reported with its index and the others are stored.
 */
export const newsBatch = z.strictObject({
  articles: z
    .array(z.unknown().meta({ ...articleJsonSchema, description: 'A story.' }))
    .min(1)
    .max(MAX_BATCH)
    .describe('Stories.'),
  deduplicate: z
    .boolean()
    .default(true)
    .describe('False stores repeats within 24 h as stories of their own.'),
})

/** A batch whose items are still to be checked. */
export type NewsBatch = z.output<typeof newsBatch>

/** Described to clients but not checked: that would take 5 ms in one go for a full batch. */
const scoresById = z.unknown().meta({
  type: 'object',
  additionalProperties: { type: 'number' },
  description: 'By news_id, also of duplicates.',
})

/** What is answered about a batch. */
export const newsBatchAnswer = z.object({
  news_ids: z.array(newsIdField.nullable()),
  total_processed: z.int(),
  new_articles: z.int(),
  duplicates: z.int(),
  catalyst_scores: scoresById,
  rejected: z.int(),
  errors: z.array(z.object({ index: z.int(), code: z.string(), message: z.string() })),
})

/** The answer about a batch. */
export type NewsBatchAnswer = z.output<typeof newsBatchAnswer>
