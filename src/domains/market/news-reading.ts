import { AppError } from '../../errors.js'
import { pageOf } from '../../lib/page.js'
import type { Queryable } from '../../platform/postgres/queryable.js'
import { SCORE_VERSION } from './catalyst-score.js'
import { findNames } from './news-names.js'
import type { NewsDetails, NewsPage, NewsQuery } from './news-reading.schemas.js'
import * as readingSql from './news-reading.sql.js'
import { componentsOf } from './story.js'

/** A page of stories; a symbol or source nobody has stored has none. */
export async function listNews(db: Queryable, query: NewsQuery): Promise<NewsPage> {
  const named = await idsOf(db, query)
  if (named === null) return { items: [], next_cursor: null }
  const { since = null, until = null, stored_since = null, limit } = query
  const { catalyst_type = null, min_score = null } = query
  const [published_at, news_id] = query.cursor ?? []
  const after =
    published_at !== undefined && news_id !== undefined ? { published_at, news_id } : null
  const filter = {
    ...named,
    since,
    until,
    stored_since,
    catalyst_type,
    min_score,
    after,
    limit: limit + 1,
  }
  const rows = await db.many(readingSql.listNews(filter))
  return pageOf(rows, limit, (row) => [row.published_at, row.news_id])
}

/** The ids of the symbol and the source, as far as they are given; null when one is not known. */
async function idsOf(db: Queryable, { symbol, source }: NewsQuery) {
  const given = { symbols: symbol ? [symbol] : [], sources: source ? [source] : [] }
  const found = symbol || source ? await findNames(db, given) : []
  if (found.some(({ id }) => id === null)) return null
  const idOf = (kind: string) => found.find((row) => row.kind === kind)?.id ?? null
  return { security_id: idOf('security'), source_id: idOf('source') }
}

/**
 * All that is known of a story.
 *
 * @throws AppError `not_found`
 */
export async function getNews(db: Queryable, newsId: string): Promise<NewsDetails> {
  const found = await db.maybeOne(readingSql.findNews(newsId))
  if (!found) {
    throw new AppError('not_found', 'There is no story with this news_id.', {
      hint: 'Read catalyst://news for the stories there are.',
    })
  }
  const { published_ms, collected_ms, ...story } = found
  const confirmations = await db.many(readingSql.confirmationsOf(newsId))
  const { cluster_id } = story
  return {
    ...story,
    score_components: story.score_version === SCORE_VERSION ? componentsOf(found) : null,
    symbols: await db.many(readingSql.symbolsOf(newsId)),
    confirmed_by: confirmations.filter(({ is_confirmed_by }) => is_confirmed_by),
    confirms: confirmations.filter(({ is_confirmed_by }) => !is_confirmed_by),
    cluster: cluster_id === null ? null : await db.maybeOne(readingSql.findCluster(cluster_id)),
    outcome: await db.maybeOne(readingSql.findOutcome(newsId)),
  }
}
