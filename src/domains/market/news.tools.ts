import { persistToolFor } from '../../mcp/define.js'
import { newsAnswer, newsArticle, newsBatch, newsBatchAnswer } from './news.schemas.js'
import type { NewsService } from './news.service.js'

const tool = persistToolFor<NewsService>()

/** One story, with everything that follows from it. */
export const persistNewsCatalyst = tool({
  name: 'persist_news_catalyst',
  title: 'Persist a news story',
  description:
    'Stores one news story and scores it as a catalyst (0-100, above 30 is strong); for several use persist_news_batch. Within 24 h the same headline of a source is a duplicate, answered with the stored id and score; one of another source joins its cluster, and a tier 1-2 source confirms tier 3-5 ones. Unknown ones are tier 5.',
  effect: 'write',
  idempotent: true,
  openWorld: true,
  input: newsArticle,
  output: newsAnswer,
  run: (article, { service, tx }) => service.persistNews(tx, article),
})

/** Many stories at once. */
export const persistNewsBatch = tool({
  name: 'persist_news_batch',
  title: 'Persist many news stories',
  description:
    'Stores up to 10 000 news stories in one transaction, by the rules of persist_news_catalyst, also against each other. A bad one is in errors with its index and stops no other: total_processed = new_articles + duplicates + rejected. news_ids follows articles: null where rejected, the stored id of a duplicate.',
  effect: 'write',
  idempotent: true,
  openWorld: true,
  input: newsBatch,
  output: newsBatchAnswer,
  run: (batch, { service, tx, progress }) => service.persistNewsBatch(tx, batch, progress),
})
