import { AppError } from '../../errors.js'
import type { Clock } from '../../lib/clock.js'
import { inTurns } from '../../lib/turns.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import type { ReadThrough } from '../cache/read-through.service.js'
import { cachedSentiment } from './cached-figures.js'
import { cachedPage, cachedStory } from './cached-news.js'
import type { NewsAnswer, NewsArticle, NewsBatch, NewsBatchAnswer } from './news.schemas.js'
import {
  checkItem,
  futureProblem,
  type ItemError,
  type PreparedArticle,
  prepare,
} from './news-article.js'
import { partByEncoding } from './news-encoding.js'
import { ingest } from './news-ingest.js'
import { getNews, listNews } from './news-reading.js'
import {
  type NewsDetails,
  type NewsPage,
  type NewsQuery,
  newsQuery,
} from './news-reading.schemas.js'
import type { Fate } from './news-repeats.js'
import { clusterOf, componentsOf } from './story.js'

/** What the news service needs. */
export interface NewsDeps {
  readonly clock: Clock
  /** For reads, and for what must not wait for a transaction that a client holds open. */
  readonly database: Database
  readonly cached: Pick<ReadThrough, 'read'>
}

type Progress = (done: number, total: number, message: string) => void

/** As long as a page is unless the reader says otherwise. */
const FIRST_PAGE = newsQuery.shape.limit.parse(undefined)
/** Checking, finding known stories, finding similar ones, storing. */
const STEPS = 4

/** Persists news, scored, deduplicated and clustered, in the caller's transaction; and reads it. */
export class NewsService {
  readonly #clock: Clock
  readonly #database: Database
  readonly #cached: Pick<ReadThrough, 'read'>

  constructor({ clock, database, cached }: NewsDeps) {
    this.#clock = clock
    this.#database = database
    this.#cached = cached
  }

  /** Persists one story, or answers the stored one it repeats. */
  async persistNews(tx: Transaction, article: NewsArticle): Promise<NewsAnswer> {
    const nowMs = this.#clock.now().getTime()
    const problem = futureProblem(article, nowMs)
    if (problem !== null) throw new AppError('invalid_input', problem)
    const rules = { nowMs, deduplicate: true, beside: this.#database, step: () => {} }
    const [fate] = await ingest(tx, [prepare(article)], rules)
    if (!fate) throw new Error('an article was neither stored nor found')
    return answerOf(fate)
  }

  /** Persists the valid stories of a batch and reports the others. */
  async persistNewsBatch(
    tx: Transaction,
    batch: NewsBatch,
    progress: Progress,
  ): Promise<NewsBatchAnswer> {
    const nowMs = this.#clock.now().getTime()
    let steps = 0
    const step = (message: string) => progress(++steps, STEPS, message)
    const { valid, errors: invalid } = await check(batch.articles, nowMs)
    const { storable, refused } = await partByEncoding(tx, valid)
    const errors = [...invalid, ...refused].sort((a, b) => a.index - b.index)
    step('articles checked')
    const { deduplicate } = batch
    const fates = await ingest(tx, storable, { nowMs, deduplicate, beside: this.#database, step })
    const added = fates.filter(({ kind }) => kind === 'new').length
    const news_ids = batch.articles.map((): string | null => null)
    for (const { story, located } of fates) news_ids[located.article.index] = story.news_id
    return {
      news_ids,
      total_processed: batch.articles.length,
      new_articles: added,
      duplicates: fates.length - added,
      catalyst_scores: Object.fromEntries(
        fates.map(({ story }) => [story.news_id, story.catalyst_score]),
      ),
      rejected: errors.length,
      errors,
    }
  }

  /** A page of stories, the newest first. */
  list(query: NewsQuery, tx: Queryable | null): Promise<NewsPage> {
    const { symbol, limit, ...others } = query
    const isPlain = Object.values(others).every((value) => value === undefined)
    if (tx || symbol === undefined || !isPlain) return listNews(tx ?? this.#database, query)
    return this.#cached.read(cachedPage(this.#database, symbol, limit))
  }

  /** What can be cached of a symbol's stories before anybody asks. */
  firstPage(symbol: string) {
    return cachedPage(this.#database, symbol, FIRST_PAGE)
  }

  /** Figures of a symbol's newest stories, to be cached. */
  sentiment(symbol: string) {
    return cachedSentiment(this.#database, symbol)
  }

  /**
   * All that is known of a story.
   *
   * @throws AppError `not_found`
   */
  get(newsId: string, tx: Queryable | null): Promise<NewsDetails> {
    return tx ? getNews(tx, newsId) : this.#cached.read(cachedStory(this.#database, newsId))
  }
}

async function check(items: readonly unknown[], nowMs: number) {
  const valid: PreparedArticle[] = []
  const errors: ItemError[] = []
  await inTurns(items.entries(), ([index, item]) => {
    const checked = checkItem(item, index, nowMs)
    if ('code' in checked) errors.push(checked)
    else valid.push(checked)
  })
  return { valid, errors }
}

function answerOf(fate: Fate): NewsAnswer {
  const { story, kind } = fate
  return {
    news_id: story.news_id,
    catalyst_score: story.catalyst_score,
    source_metrics_updated: kind !== 'same',
    duplicate: kind !== 'new',
    market_state: story.market_state,
    catalyst_type: story.catalyst_type,
    expected_direction: story.expected_direction,
    cluster_id: clusterOf(story),
    score_components: componentsOf(story),
    warnings: warningsOf(fate),
  }
}

/** Market states are a closed list, so naming the client's own repeats nothing it made up. */
function warningsOf({ located: { article }, kind }: Fate): string[] {
  const claimed = article.given.catalyst_indicators.market_state
  if (claimed === undefined || claimed === article.market_state) return []
  const kept = kind === 'new' ? '; the given value is kept in metadata' : ''
  return [`market_state: the market was ${article.market_state} then, not ${claimed}${kept}`]
}
