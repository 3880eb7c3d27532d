import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { minutesAfter, story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, database } = await startApp()
const START = '2024-08-12T14:00:00Z'

const persist = (overrides: Record<string, unknown>) =>
  client.tool('persist_news_catalyst', story({ headline: uniqueHeadline(), ...overrides }))

const read = (newsId: string) => client.resource(`catalyst://news/${newsId}`)

test('a story in full, with the factors its score was made from', async () => {
  const symbol = uniqueSymbol()
  const answer = await persist({
    headline: `Merger of ${uniqueHeadline()}`,
    symbol,
    source: 'FT',
    snippet: 'A snippet.',
    published_timestamp: new Date(Date.now() - 3_600_000).toISOString(),
    catalyst_indicators: { keywords: ['Deal'], urgency_score: 0.25, market_state: 'weekend' },
  })
  const found = await read(answer.news_id)
  expect(found).toMatchObject({
    news_id: answer.news_id,
    source: 'Financial Times',
    symbol,
    catalyst_type: 'merger',
    catalyst_score: answer.catalyst_score,
    cluster_id: answer.cluster_id,
    snippet: 'A snippet.',
    keywords: ['deal'],
    urgency_score: 0.25,
    client_market_state: answer.warnings.length > 0 ? 'weekend' : null,
    expected_direction: 0,
    score_version: 1,
    score_components: answer.score_components,
    symbols: [{ symbol, role: 'subject' }],
    confirmed_by: [],
    confirms: [],
    cluster: null,
    outcome: null,
  })
})

test('the score of another version has no factors that are known', async () => {
  const { news_id } = await persist({})
  await database.query('alter table catalyst.news_articles disable trigger user')
  await database.query('update catalyst.news_articles set score_version = 2 where news_id = $1', [
    news_id,
  ])
  await database.query('alter table catalyst.news_articles enable trigger user')
  expect((await read(news_id)).score_components).toBeNull()
})

test('confirmations both ways, the cluster with its figures, and the companies named', async () => {
  const [headline, symbol, second] = [uniqueHeadline(), uniqueSymbol(), uniqueSymbol()]
  const told = (source: string, minutes: number, about = symbol) =>
    persist({
      headline,
      source,
      symbol: about,
      published_timestamp: minutesAfter(START, minutes),
    })
  const rumour = await told('Zacks', 0)
  const other = await told('Benzinga', 10)
  const trusted = await told('Reuters', 30)
  await told('Zacks', 40, second)
  const found = await read(rumour.news_id)
  expect(found).toMatchObject({
    update_count: 1,
    symbols: [
      { symbol, role: 'subject' },
      { symbol: second, role: 'mentioned' },
    ],
    confirmed_by: [
      { news_id: trusted.news_id, source: 'Reuters', source_tier: 1, delay_minutes: 30 },
    ],
    confirms: [],
    cluster: {
      cluster_id: rumour.cluster_id,
      first_published_at: '2024-08-12T14:00:00Z',
      last_published_at: '2024-08-12T14:30:00Z',
      article_count: 3,
      source_count: 3,
      keywords: ['technology'],
    },
  })
  expect(found.cluster.avg_tier).toBeCloseTo(8 / 3, 3)
  expect(found.cluster.coordination_score).toBeCloseTo(47.5, 3)
  const confirming = await read(trusted.news_id)
  expect(confirming.confirms).toEqual([
    { news_id: other.news_id, source: 'Benzinga', source_tier: 3, delay_minutes: 20 },
    { news_id: rumour.news_id, source: 'Zacks', source_tier: 4, delay_minutes: 30 },
  ])
  expect(confirming).toMatchObject({ confirmed_by: [], cluster: found.cluster })
})

test('what became of it', async () => {
  const { news_id } = await persist({})
  await database.query(
    `insert into catalyst.news_outcomes
       (news_id, was_accurate, w_win, w_loss, n_positions, move_1h, status, reason, as_of)
     values ($1, true, 1.5, 0.25, 2, -12.3456, 'unresolvable', 'no bars', '2024-08-13T00:00:00Z')`,
    [news_id],
  )
  expect((await read(news_id)).outcome).toEqual({
    was_accurate: true,
    w_win: 1.5,
    w_loss: 0.25,
    n_positions: 2,
    move_1h_bps: -12.3456,
    move_24h_bps: null,
    status: 'unresolvable',
    reason: 'no bars',
    as_of: '2024-08-13T00:00:00Z',
  })
})

test('a story of no company', async () => {
  const { news_id } = await persist({ symbol: undefined })
  expect(await read(news_id)).toMatchObject({
    symbol: null,
    cluster_id: null,
    symbols: [],
    cluster: null,
  })
})

test('an id nobody has stored is not found, and the error says where to look', async () => {
  const error = await client.refused('read_resource', { uri: `news/nws_${'0'.repeat(32)}` })
  expect(error).toMatchObject({
    code: 'not_found',
    hint: expect.stringContaining('catalyst://news'),
  })
})

test.each([
  'nws_0',
  `nws_${'0'.repeat(33)}`,
  `NWS_${'0'.repeat(32)}`,
  "nws_'; drop table catalyst.news_articles; --",
  `nws_${'0'.repeat(31)}\0`,
])('%j is not an id', async (id) => {
  const error = await client.refused('read_resource', { uri: `news/${encodeURIComponent(id)}` })
  expect(error).toMatchObject({
    code: 'invalid_input',
    message: 'news/{news_id}: news_id: must be nws_ and 32 hexadecimal digits',
  })
})
