import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { minutesAfter, story, uniqueHeadline } from './support.js'

const { client, database } = await startApp()
const START = '2024-08-12T04:00:00Z'

test('ten thousand stories go in with one call, which reports progress', async () => {
  const articles = Array.from({ length: 9_000 }, (_, i) =>
    story({
      headline: uniqueHeadline(),
      symbol: `S${i % 200}`,
      source: ['Reuters', 'CNBC', 'Benzinga', 'Zacks', 'Some Wire'][i % 5],
      published_timestamp: minutesAfter(START, i % 600),
    }),
  )
  const repeats = articles.slice(0, 1_000)
  const seen: number[] = []
  const { structuredContent } = await client.sdk.callTool(
    {
      name: 'persist_news_batch',
      arguments: { articles: articles.concat(repeats), deduplicate: true },
    },
    { onprogress: ({ progress }) => seen.push(progress) },
  )
  expect(structuredContent).toMatchObject({
    total_processed: 10_000,
    new_articles: 9_000,
    duplicates: 1_000,
    rejected: 0,
  })
  expect(seen.length).toBeGreaterThan(1)
  expect(seen).toEqual([...seen].sort((a, b) => a - b))
  const [row] = await database.query('select count(*)::int as n from catalyst.news_articles')
  expect(row?.n).toBe(9_000)
})

test('ten thousand stories from one template about one symbol stay bounded', async () => {
  const sources = ['Reuters', 'CNBC', 'Benzinga', 'Zacks', 'TipRanks']
  const articles = Array.from({ length: 10_000 }, (_, i) =>
    story({
      headline: `Apple reports news item number ${i} to its investors today`,
      source: sources[i % sources.length],
      published_timestamp: minutesAfter(START, i % 1_000),
    }),
  )
  const answer = await client.tool('persist_news_batch', { articles, deduplicate: true })
  expect(answer).toMatchObject({ new_articles: 10_000, duplicates: 0 })
})
