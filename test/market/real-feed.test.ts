import { describe, expect, test } from 'vitest'
import { startApp } from '../support/app.js'

// Items of a feed of August 2024, as they came: headline, source, time, first symbol, topics.
const FEED: [string, string, string, string | null, string[]][] = [
  [
    '3 Frost Mutual Funds for Steady Returns',
    'Zacks Commentary',
    '2024-08-09T11:04:00Z',
    null,
    ['Technology'],
  ],
  [
    "OpenAI Fears 'Users Might Form Social Relationships' With AI Due To ChatGPT's Human-Like Voice Mode",
    'Benzinga',
    '2024-08-09T11:45:44Z',
    null,
    ['Technology'],
  ],
  [
    "Alphabet Bargain: Compare Google Parent's Valuation To Mag 7 - Alphabet  ( NASDAQ:GOOGL ) ",
    'Benzinga',
    '2024-08-09T14:39:10Z',
    'MSFT',
    ['Financial Markets', 'Earnings'],
  ],
  [
    "Warren Buffett Just Cut Half of Berkshire Hathaway's Stake in Apple. Why?",
    'Motley Fool',
    '2024-08-09T21:09:00Z',
    'AAPL',
    ['Earnings'],
  ],
  [
    'Should Apple Acquire Peloton in 2024? 2 Things Investors Need to Know.',
    'Motley Fool',
    '2024-08-11T16:30:00Z',
    'AAPL',
    ['Technology'],
  ],
  [
    'Chinese tech firms eye AI smart glasses as the next big thing',
    'South China Morning Post',
    '2024-08-21T23:00:14Z',
    null,
    ['Technology'],
  ],
  [
    'Snowflake says data breach has not affected core business',
    'CNBC',
    '2024-08-21T23:13:29Z',
    'META',
    [],
  ],
  [
    "Denny's Annual No Kid Hungry Fundraiser Returns for Fourteenth Year to Address the Most Important School Supply: Food",
    'GlobeNewswire',
    '2024-08-22T14:00:00Z',
    'DENN',
    ['Retail & Wholesale'],
  ],
  [
    "Denny's Annual No Kid Hungry Fundraiser Returns for Fourteenth Year to Address the Most Important School Supply: Food - Denny's  ( NASDAQ:DENN ) ",
    'Benzinga',
    '2024-08-22T14:00:00Z',
    'DENN',
    ['Retail & Wholesale'],
  ],
  [
    'Arcutis to Present at the Morgan Stanley 22nd Annual Global Healthcare Conference',
    'GlobeNewswire',
    '2024-08-22T12:00:00Z',
    'ARQT',
    [],
  ],
  [
    'Cool Comedy • Hot Cuisine: Benefiting The Scleroderma Research Foundation Tuesday, October 29, 2024 at The Fairmont Century Plaza, Los Angeles',
    'Benzinga',
    '2024-08-22T12:38:00Z',
    null,
    [],
  ],
]
const articles = FEED.map(([headline, source, published_timestamp, symbol, keywords]) => ({
  headline,
  source,
  published_timestamp,
  ...(symbol === null ? {} : { symbol }),
  catalyst_indicators: { keywords, urgency_score: 0.5, market_state: 'regular' },
}))

describe.each(['legacy', 'modern'] as const)('a real feed in the %s protocol era', async (era) => {
  const app = await startApp()
  const client = await app.connect(era)

  test('goes in once; a second run adds nothing and says so', async () => {
    const batch = { articles, deduplicate: true }
    const first = await client.tool('persist_news_batch', batch)
    const total_processed = FEED.length
    expect(first).toMatchObject({
      total_processed,
      new_articles: total_processed,
      duplicates: 0,
      rejected: 0,
    })
    const second = await client.tool('persist_news_batch', batch)
    expect(second).toMatchObject({ total_processed, new_articles: 0, duplicates: total_processed })
    expect(second.catalyst_scores).toEqual(first.catalyst_scores)
  })

  test('one by one the stories are the known ones, and the shared one has its cluster', async () => {
    const answers = []
    for (const article of articles)
      answers.push(await client.tool('persist_news_catalyst', article))
    expect(answers.every(({ duplicate }) => duplicate)).toBe(true)
    const clusters = new Map(answers.map(({ cluster_id }, i) => [i, cluster_id]))
    expect(clusters.get(7)).toMatch(/^clu_/)
    expect(clusters.get(8)).toBe(clusters.get(7))
    const told = [...clusters.values()].filter((cluster) => cluster !== null)
    expect(new Set(told).size).toBe(told.length - 1)
    expect(answers.map(({ catalyst_type }) => catalyst_type)).toEqual([
      null,
      null,
      'earnings',
      'earnings',
      'merger',
      null,
      null,
      null,
      null,
      null,
      null,
    ])
  })
})
