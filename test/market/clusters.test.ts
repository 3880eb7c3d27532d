import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { minutesAfter, story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, database } = await startApp()
const START = '2024-08-12T14:00:00Z'

const persist = (article: Record<string, unknown>) => client.tool('persist_news_catalyst', article)
const clusterRow = async (clusterId: string) => {
  const [row] = await database.query(
    `select article_count, source_count, avg_tier::float8 as avg_tier,
       coordination_score::float8 as coordination_score,
       extract(epoch from last_published - first_published)::float8 / 60 as spread_minutes
     from catalyst.narrative_clusters where cluster_id = $1`,
    [clusterId],
  )
  return row
}
const confirmations = (symbol: string) =>
  database.query(
    `select told.source_tier as tier, by.source_tier as by_tier, c.delay_minutes::float8 as delay
     from catalyst.news_confirmations c
     join catalyst.news_articles told on told.news_id = c.news_id
     join catalyst.news_articles by on by.news_id = c.confirmed_by_news_id
     join catalyst.securities s on s.security_id = told.security_id
     where s.symbol = $1`,
    [symbol],
  )

test('the same story of two sources lands in one cluster, one by one', async () => {
  const [headline, symbol] = [uniqueHeadline(), uniqueSymbol()]
  const first = await persist(story({ headline, symbol, source: 'GlobeNewswire' }))
  const second = await persist(story({ headline: `${headline} today`, symbol, source: 'Benzinga' }))
  expect(first.cluster_id).toMatch(/^clu_/)
  expect(second).toMatchObject({ duplicate: false, cluster_id: first.cluster_id })
  const rows = await database.query(
    'select news_id from catalyst.news_articles where cluster_id = $1',
    [second.cluster_id],
  )
  expect(rows.map(({ news_id }) => news_id).sort()).toEqual([first.news_id, second.news_id].sort())
  expect(await clusterRow(second.cluster_id)).toMatchObject({ article_count: 2, source_count: 2 })
})

test('three sources of tier 4 within 10 minutes score 67.5, in one batch or story by story', async () => {
  const sources = ['Zacks', 'TipRanks', 'Stocktwits']
  const told = (symbol: string, headline: string) =>
    sources.map((source, i) =>
      story({ source, symbol, headline, published_timestamp: minutesAfter(START, 5 * i) }),
    )
  const expected = {
    article_count: 3,
    source_count: 3,
    avg_tier: 4,
    coordination_score: 67.5,
    spread_minutes: 10,
  }
  const bySymbol = async (symbol: string) => {
    const [row] = await database.query(
      `select c.cluster_id from catalyst.narrative_clusters c
       join catalyst.securities s using (security_id) where s.symbol = $1`,
      [symbol],
    )
    return clusterRow(row?.cluster_id)
  }
  const [atOnce, oneByOne] = [uniqueSymbol(), uniqueSymbol()]
  const articles = told(atOnce, uniqueHeadline())
  await client.tool('persist_news_batch', { articles, deduplicate: true })
  for (const article of told(oneByOne, uniqueHeadline())) await persist(article)
  expect(await bySymbol(atOnce)).toEqual(expected)
  expect(await bySymbol(oneByOne)).toEqual(expected)
})

test('other symbols, no symbol, unlike headlines and distant days stay apart', async () => {
  const [headline, symbol] = [uniqueHeadline(), uniqueSymbol()]
  const { cluster_id } = await persist(story({ headline, symbol, source: 'Benzinga' }))
  const others = [
    story({ headline, symbol: uniqueSymbol(), source: 'CNBC' }),
    story({ headline, symbol: undefined, source: 'Motley Fool' }),
    story({ headline: uniqueHeadline(), symbol, source: 'CNBC' }),
    story({ headline, symbol, source: 'Zacks', published_timestamp: minutesAfter(START, 1441) }),
  ]
  const clusters = [cluster_id]
  for (const other of others) clusters.push((await persist(other)).cluster_id)
  expect(new Set(clusters).size).toBe(others.length + 1)
  expect(clusters[2]).toBeNull()
})

test('a likeness of exactly 0.6 is the same story, a little less is not', async () => {
  const symbol = uniqueSymbol()
  const [a, b, c, d, e, f] = uniqueHeadline().split(' ')
  const first = await persist(
    story({ headline: `${a} ${b} ${c} ${d}`, symbol, source: 'Benzinga' }),
  )
  const alike = await persist(story({ headline: `${a} ${b} ${c} ${e}`, symbol, source: 'Zacks' }))
  expect(alike.cluster_id).toBe(first.cluster_id)
  const unlike = await persist(story({ headline: `${a} ${b} ${f}`, symbol, source: 'CNBC' }))
  expect(unlike.cluster_id).not.toBe(first.cluster_id)
})

test('a tier 1 story after a tier 3 one confirms it, whichever arrives first', async () => {
  const told = (symbol: string, headline: string) => [
    story({ headline, symbol, source: 'Benzinga' }),
    story({ headline, symbol, source: 'Bloomberg', published_timestamp: minutesAfter(START, 30) }),
  ]
  const [inOrder, reversed] = [uniqueSymbol(), uniqueSymbol()]
  for (const article of told(inOrder, uniqueHeadline())) await persist(article)
  for (const article of told(reversed, uniqueHeadline()).reverse()) await persist(article)
  const confirmed = [{ tier: 3, by_tier: 1, delay: 30 }]
  expect(await confirmations(inOrder)).toEqual(confirmed)
  expect(await confirmations(reversed)).toEqual(confirmed)
})

test('a tier 1 story before a tier 3 one, or two of tier 3, confirm nothing', async () => {
  const [headline, symbol] = [uniqueHeadline(), uniqueSymbol()]
  await persist(story({ headline, symbol, source: 'Bloomberg' }))
  for (const [i, source] of ['Benzinga', 'Motley Fool'].entries()) {
    const published_timestamp = minutesAfter(START, 10 + i)
    await persist(story({ headline, symbol, source, published_timestamp }))
  }
  expect(await confirmations(symbol)).toEqual([])
})

test('the same story sent by many sources at once lands in one cluster', async () => {
  const [headline, symbol] = [uniqueHeadline(), uniqueSymbol()]
  const sources = ['Reuters', 'CNBC', 'Benzinga', 'Zacks', 'TipRanks', 'Bloomberg']
  await Promise.all(sources.map((source) => persist(story({ headline, symbol, source }))))
  const rows = await database.query(
    `select distinct a.cluster_id from catalyst.news_articles a
     join catalyst.securities s using (security_id) where s.symbol = $1`,
    [symbol],
  )
  expect(rows).toHaveLength(1)
  expect(await clusterRow(rows[0]?.cluster_id)).toMatchObject({ article_count: 6, source_count: 6 })
})
