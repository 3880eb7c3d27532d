import type { Queryable } from '../../platform/postgres/queryable.js'
import type { Cacheable } from '../cache/read-through.service.js'
import { getNews, listNews } from './news-reading.js'
import {
  type NewsDetails,
  type NewsPage,
  type NewsQuery,
  newsDetails,
  newsPage,
} from './news-reading.schemas.js'

/** The first page of a symbol's stories; the query says nothing else. */
export const cachedPage = (
  db: Queryable,
  symbol: string,
  limit: NewsQuery['limit'],
): Cacheable<NewsPage> => ({
  type: 'news',
  name: `symbol:${symbol}:${limit}`,
  schema: newsPage,
  load: () => listNews(db, { symbol, limit }),
  // A story that only names the symbol changes with its own company.
  symbolsOf: ({ items }) => [symbol, ...items.map((item) => item.symbol)],
  isKept: ({ items }) => items.length > 0,
})

/** One story. */
export const cachedStory = (db: Queryable, newsId: string): Cacheable<NewsDetails> => ({
  type: 'news',
  name: newsId,
  schema: newsDetails,
  load: () => getNews(db, newsId),
  symbolsOf: (story) => [story.symbol, ...story.symbols.map(({ symbol }) => symbol)],
  isKept: () => true,
})
