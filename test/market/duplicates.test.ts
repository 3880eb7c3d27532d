import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { minutesAfter, story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, database } = await startApp()

const persist = (article: Record<string, unknown>) => client.tool('persist_news_catalyst', article)
const updateCount = async (newsId: string) => {
  const [row] = await database.query(
    'select update_count from catalyst.news_articles where news_id = $1',
    [newsId],
  )
  return row?.update_count
}
const DAY_MINUTES = 24 * 60

test('rule 1: the same story again is a duplicate and writes nothing', async () => {
  const article = story({ headline: uniqueHeadline() })
  const first = await persist(article)
  const again = await persist(article)
  expect(again).toMatchObject({
    news_id: first.news_id,
    catalyst_score: first.catalyst_score,
    score_components: first.score_components,
    duplicate: true,
    source_metrics_updated: false,
  })
  expect(await updateCount(first.news_id)).toBe(0)
})

test('rule 2: an update within 24 h is a repeat of the stored story', async () => {
  const article = story({ headline: uniqueHeadline() })
  const first = await persist(article)
  const update = await persist({
    ...article,
    headline: `UPDATE 1 - ${article.headline.toUpperCase()}`,
    published_timestamp: minutesAfter(article.published_timestamp, DAY_MINUTES),
  })
  expect(update).toMatchObject({
    news_id: first.news_id,
    duplicate: true,
    source_metrics_updated: true,
  })
  expect(await updateCount(first.news_id)).toBe(1)
})

test('rule 2 ends after 24 h, and knows no aliases as other sources', async () => {
  const article = story({ headline: uniqueHeadline() })
  const first = await persist(article)
  const later = minutesAfter(article.published_timestamp, DAY_MINUTES + 1)
  const second = await persist({ ...article, published_timestamp: later })
  expect(second.duplicate).toBe(false)
  expect(second.news_id).not.toBe(first.news_id)
  const alias = await persist({ ...article, source: 'Reuters.com' })
  expect(alias).toMatchObject({ news_id: first.news_id, duplicate: true })
})

test('a batch deduplicates within itself, and counts repeats on its own new story', async () => {
  const headline = uniqueHeadline()
  const first = story({ headline })
  const hourLater = minutesAfter(first.published_timestamp, 60)
  const repeat = { ...first, headline: `Breaking: ${headline}`, published_timestamp: hourLater }
  const answer = await client.tool('persist_news_batch', {
    articles: [repeat, first, first],
    deduplicate: true,
  })
  expect(answer).toMatchObject({ total_processed: 3, new_articles: 1, duplicates: 2, rejected: 0 })
  const [newsId = ''] = Object.keys(answer.catalyst_scores)
  expect(Object.keys(answer.catalyst_scores)).toHaveLength(1)
  expect(await updateCount(newsId)).toBe(1)
})

test('deduplicate: false stores repeats, but still refuses the very same story', async () => {
  const first = story({ headline: uniqueHeadline() })
  const repeat = { ...first, published_timestamp: minutesAfter(first.published_timestamp, 5) }
  const answer = await client.tool('persist_news_batch', {
    articles: [first, first, repeat],
    deduplicate: false,
  })
  expect(answer).toMatchObject({ new_articles: 2, duplicates: 1 })
})

test('a known story sent for another company is noted for that company too', async () => {
  const [one, other] = [uniqueSymbol(), uniqueSymbol()]
  const article = story({ headline: uniqueHeadline(), symbol: one })
  const { news_id } = await persist(article)
  expect((await persist({ ...article, symbol: other })).duplicate).toBe(true)
  const rows = await database.query(
    `select s.symbol, m.role from catalyst.news_securities m join catalyst.securities s using (security_id)
     where m.news_id = $1`,
    [news_id],
  )
  expect(rows).toEqual([{ symbol: other, role: 'mentioned' }])
})

test('the same story sent many times at once is stored once', async () => {
  const article = story({
    headline: uniqueHeadline(),
    source: uniqueHeadline(),
    symbol: uniqueSymbol(),
  })
  const answers = await Promise.all(Array.from({ length: 8 }, () => persist(article)))
  expect(new Set(answers.map(({ news_id }) => news_id)).size).toBe(1)
  expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
})

test('repeats sent at once in overlapping batches of opposite order are stored once', async () => {
  const first = '2024-08-12T14:00:00Z'
  const headlines = Array.from({ length: 300 }, uniqueHeadline)
  const batch = (minutes: number) =>
    headlines.map((headline) =>
      story({ headline, published_timestamp: minutesAfter(first, minutes) }),
    )
  const answers = await Promise.all([
    client.tool('persist_news_batch', { articles: batch(0), deduplicate: true }),
    client.tool('persist_news_batch', { articles: batch(1).reverse(), deduplicate: true }),
    client.tool('persist_news_batch', { articles: batch(2), deduplicate: true }),
  ])
  const sum = (field: string) => answers.reduce((total, answer) => total + answer[field], 0)
  expect(sum('new_articles')).toBe(300)
  expect(sum('duplicates')).toBe(600)
})
