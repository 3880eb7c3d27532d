import { z } from 'zod'
import { MARKET_STATES } from '../../lib/market-clock.js'
import { NEXT_CURSOR, pageParameters } from '../../lib/page.js'
import { instant, nonEmptyText, storedSince, symbol } from '../../lib/schemas.js'
import { CATALYST_TYPES } from './catalyst-categories.js'
import { expectedDirection } from './news.schemas.js'

/** Which stories are wanted. */
export const newsQuery = z.object({
  symbol: symbol().optional().describe('Stories about this company or naming it as well.'),
  source: nonEmptyText(200).optional().describe('An outlet by its whole name or an alias.'),
  since: instant().optional().describe('Published then or later.'),
  until: instant().optional().describe('Published before then.'),
  stored_since: storedSince(),
  catalyst_type: z.enum(CATALYST_TYPES).optional(),
  min_score: z.coerce.number().min(0).max(100).optional().describe('0-100; above 30 is strong.'),
  ...pageParameters(['instant', 'text']),
})

/** A checked wish for stories. */
export type NewsQuery = z.output<typeof newsQuery>

/** A story in a list. */
const newsItem = z.object({
  news_id: z.string(),
  headline: z.string(),
  source: z.string(),
  source_tier: z.int().describe('1-5, when it was scored.'),
  symbol: z.string().nullable(),
  published_at: z.string(),
  collected_at: z.string(),
  market_state: z.enum(MARKET_STATES),
  catalyst_type: z.enum(CATALYST_TYPES).nullable(),
  catalyst_score: z.number(),
  expected_direction: expectedDirection,
  keywords: z.array(z.string()),
  urgency_score: z.number(),
  update_count: z.int().describe('How often its source repeated it.'),
  cluster_id: z.string().nullable().describe('Null without a symbol.'),
  url: z.string().nullable(),
})

/** A page of stories. */
export const newsPage = z.object({ items: z.array(newsItem), next_cursor: NEXT_CURSOR })

/** A page of stories as answered. */
export type NewsPage = z.output<typeof newsPage>

/** The id of a story. */
export const newsId = () =>
  z.string().regex(/^nws_[0-9a-f]{32}$/, 'must be nws_ and 32 hexadecimal digits')

const confirmation = z.object({
  news_id: z.string(),
  source: z.string(),
  source_tier: z.int(),
  delay_minutes: z.number().describe('From the story to the one that confirms it.'),
})

const cluster = z.object({
  cluster_id: z.string(),
  first_published_at: z.string(),
  last_published_at: z.string(),
  keywords: z.array(z.string()),
  article_count: z.int(),
  source_count: z.int(),
  avg_tier: z.number(),
  coordination_score: z.number().describe('0-100: how much it looks placed rather than found.'),
})

const outcome = z.object({
  was_accurate: z.boolean().nullable(),
  w_win: z.number(),
  w_loss: z.number(),
  n_positions: z.int(),
  move_1h_bps: z.number().nullable(),
  move_24h_bps: z.number().nullable(),
  status: z.enum(['pending', 'resolved', 'unresolvable']).describe('Of the moves.'),
  reason: z.string().nullable(),
  as_of: z.string(),
})

/** All that is known of a story. */
export const newsDetails = newsItem.extend({
  snippet: z.string().nullable(),
  client_market_state: z
    .enum(MARKET_STATES)
    .nullable()
    .describe("What the client saw, where it differs from the server's own."),
  score_version: z.int(),
  score_components: z
    .object({
      tier_weight: z.number(),
      recency: z.number(),
      keyword_weight: z.number(),
      state_multiplier: z.number(),
    })
    .nullable()
    .describe('Null for a score of another version.'),
  symbols: z.array(z.object({ symbol: z.string(), role: z.enum(['subject', 'mentioned']) })),
  confirmed_by: z.array(confirmation).describe('Trusted sources that told it later.'),
  confirms: z.array(confirmation).describe('Stories that it confirms.'),
  cluster: cluster.nullable().describe('Null while nobody else has told the same.'),
  outcome: outcome.nullable().describe('Null until a closed position has cited it.'),
})

/** All that is known of a story, as answered. */
export type NewsDetails = z.output<typeof newsDetails>
