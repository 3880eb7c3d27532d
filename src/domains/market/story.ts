import type { MarketState } from '../../lib/market-clock.js'
import type { CatalystType } from './catalyst-categories.js'
import {
  catalystScore,
  keywordWeight,
  type ScoreComponents,
  scoreComponents,
} from './catalyst-score.js'
import type { Direction } from './expected-direction.js'
import type { Gist } from './gist.js'
import { newsId } from './headline.js'
import type { PreparedArticle } from './news-article.js'
import type { WordBits } from './word-bits.js'

/** A story that has its identity: stored already, or about to be. */
export interface Story {
  readonly news_id: string
  readonly norm: string
  readonly source_id: number
  /** The source's tier when the story was scored. */
  readonly source_tier: number
  readonly security_id: number | null
  readonly published_ms: number
  readonly collected_ms: number
  readonly market_state: MarketState
  readonly catalyst_type: CatalystType | null
  readonly catalyst_score: number
  readonly expected_direction: Direction
  cluster_id: string | null
  /** Repeats of it found by this call. */
  repeats: number
  /** When its source told it first, as far as is known. */
  first_told_ms: number
  /** An earlier telling than those known before, found by this call. */
  earlier: PreparedArticle | null
  /** What is to be inserted; null for a story that is stored already. */
  readonly article: PreparedArticle | null
}

/** How a source told a stored story first, where that arrives later. */
export interface FirstTelling {
  readonly news_id: string
  readonly published_ms: number
  readonly headline: string
  readonly keywords: readonly string[]
  readonly gist: Gist
  readonly bits: WordBits
}

/** A story of this call that was not known before. */
export type NewStory = Story & { readonly article: PreparedArticle }

/** Where an article comes from and whom it is about, as the database knows them. */
export interface Located {
  readonly article: PreparedArticle
  readonly source_id: number
  readonly source_tier: number
  readonly security_id: number | null
  readonly story_hash: number
}

/** Finds stories of one source with one headline in an index of four bytes an entry. */
export const storyHash = (sourceId: number, normHash: number): number =>
  Math.imul(normHash ^ sourceId, 0x01000193)

/**
 * The cluster of a story that nobody else has told yet. It is stored once a second one does; its id
 * is known from the start, so that whoever told first can be answered with it.
 */
export const clusterFoundedBy = (newsId: string): string => newsId.replace('nws_', 'clu_')

/** The cluster a story is in; null when it names no company, for then nothing is like it. */
export const clusterOf = ({ cluster_id, security_id, news_id }: Story): string | null =>
  cluster_id ?? (security_id === null ? null : clusterFoundedBy(news_id))

/** The id a located article has. */
export const idOf = ({ article, source_id }: Located): string =>
  newsId(article.norm, source_id, article.published_ms)

/** The story a located article becomes when nothing like it is known. */
export function newStory(located: Located, news_id: string, collected_ms: number): NewStory {
  const { article, source_id, source_tier, security_id } = located
  const { published_ms, market_state, catalyst } = article
  return {
    news_id,
    norm: article.norm,
    source_id,
    source_tier,
    security_id,
    published_ms,
    collected_ms,
    market_state,
    catalyst_type: catalyst.type,
    catalyst_score: catalystScore(
      scoreComponents({
        tier: source_tier,
        age_ms: collected_ms - published_ms,
        keyword_weight: catalyst.keyword_weight,
        market_state,
      }),
    ),
    expected_direction: article.gist.direction,
    cluster_id: null,
    repeats: 0,
    first_told_ms: published_ms,
    earlier: null,
    article,
  }
}

/** The factors of a story's score, as they were when it was persisted. */
export const componentsOf = (
  story: Pick<
    Story,
    'source_tier' | 'published_ms' | 'collected_ms' | 'market_state' | 'catalyst_type'
  >,
): ScoreComponents =>
  scoreComponents({
    tier: story.source_tier,
    age_ms: story.collected_ms - story.published_ms,
    keyword_weight: keywordWeight(story.catalyst_type),
    market_state: story.market_state,
  })
