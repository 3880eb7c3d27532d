import { describeIssues } from '../../lib/issues.js'
import { type MarketState, marketState } from '../../lib/market-clock.js'
import { utcText } from '../../lib/utc-text.js'
import { type Catalyst, classify } from './catalyst-score.js'
import { fnv1a } from './fnv.js'
import { type Gist, gistOf } from './gist.js'
import { readHeadline } from './headline.js'
import { type NewsArticle, newsArticle } from './news.schemas.js'
import { termBits, type WordBits } from './word-bits.js'

/** A valid story with everything that follows from its own text and time. */
export interface PreparedArticle {
  /** Its place in the batch. */
  readonly index: number
  readonly given: NewsArticle
  readonly source: string
  readonly symbol: string | null
  readonly norm: string
  readonly norm_hash: number
  readonly gist: Gist
  readonly bits: WordBits
  readonly keywords: readonly string[]
  readonly published_ms: number
  readonly market_state: MarketState
  readonly catalyst: Catalyst
}

/** Why an item of a batch is refused. */
export interface ItemError {
  readonly index: number
  readonly code: 'invalid_input'
  readonly message: string
}

const FUTURE_TOLERANCE_MS = 5 * 60_000
const MESSAGE_LENGTH = 300

/** Why a valid story cannot be stored now, or null: clocks differ, but not by more than 5 minutes. */
export const futureProblem = (article: NewsArticle, nowMs: number): string | null =>
  Date.parse(article.published_timestamp) > nowMs + FUTURE_TOLERANCE_MS
    ? 'published_timestamp: must not lie more than 5 minutes in the future'
    : null

/** Checks an item of a batch by the same rules as a single story. */
export function checkItem(
  item: unknown,
  index: number,
  nowMs: number,
): PreparedArticle | ItemError {
  const parsed = newsArticle.safeParse(item)
  if (!parsed.success) {
    const message = describeIssues(parsed.error, 'article').slice(0, MESSAGE_LENGTH)
    return { index, code: 'invalid_input', message }
  }
  const problem = futureProblem(parsed.data, nowMs)
  if (problem !== null) return { index, code: 'invalid_input', message: problem }
  return prepare(parsed.data, index)
}

/** Derives what follows from a story's own text and time. */
export function prepare(article: NewsArticle, index = 0): PreparedArticle {
  const { keywords } = article.catalyst_indicators
  const published_ms = Date.parse(article.published_timestamp)
  const source = article.source.trim()
  const read = readHeadline(article.headline, source)
  const { norm } = read
  const gist = gistOf(read.body)
  return {
    index,
    given: article,
    source,
    symbol: article.symbol ?? null,
    norm,
    norm_hash: fnv1a(norm),
    gist,
    bits: termBits(gist.terms),
    keywords: [...new Set(keywords.map((keyword) => keyword.trim().toLowerCase()))],
    published_ms,
    market_state: marketState(published_ms),
    catalyst: classify(article.headline, read, keywords),
  }
}

/** The publication in UTC with the microseconds the client gave. */
export const publishedAt = ({ given }: PreparedArticle): string =>
  utcText(given.published_timestamp)
