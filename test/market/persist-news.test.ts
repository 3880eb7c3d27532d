import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { story, uniqueHeadline } from './support.js'

const { client, database } = await startApp()

test('one story is stored with what the server computed and answers its components', async () => {
  const published = new Date(Date.now() - 4 * 3_600_000).toISOString()
  const answer = await client.tool('persist_news_catalyst', {
    ...story({ source: 'Bloomberg News', published_timestamp: published }),
    headline: `FDA decision: ${uniqueHeadline()}`,
  })
  expect(answer).toMatchObject({
    duplicate: false,
    source_metrics_updated: true,
    catalyst_type: 'fda',
    cluster_id: expect.stringMatching(/^clu_[0-9a-f]{32}$/),
    score_components: { tier_weight: 1, keyword_weight: 1.5 },
  })
  expect(answer.news_id).toMatch(/^nws_[0-9a-f]{32}$/)
  const { tier_weight, recency, keyword_weight, state_multiplier } = answer.score_components
  expect(recency).toBeCloseTo(Math.exp(-1), 3)
  const score = (100 * tier_weight * recency * keyword_weight * state_multiplier) / 3
  expect(answer.catalyst_score).toBeCloseTo(score, 3)
  const [row] = await database.query(
    `select s.name, a.source_tier, a.catalyst_score, a.published_at
     from catalyst.news_articles a join catalyst.news_sources s using (source_id)
     where a.news_id = $1`,
    [answer.news_id],
  )
  expect(row).toMatchObject({ name: 'Bloomberg', source_tier: 1 })
  expect(Number(row?.catalyst_score)).toBe(answer.catalyst_score)
  expect(Date.parse(row?.published_at)).toBe(Date.parse(published))
})

test("the client's other market state is kept in metadata and answered as a warning", async () => {
  const answer = await client.tool('persist_news_catalyst', {
    ...story({ headline: uniqueHeadline(), published_timestamp: '2025-07-04T15:00:00Z' }),
  })
  expect(answer.market_state).toBe('closed')
  expect(answer.warnings).toEqual([expect.stringMatching(/^market_state: .*closed.*not regular/)])
  const rows = await database.query(
    'select market_state, metadata from catalyst.news_articles where news_id = $1',
    [answer.news_id],
  )
  expect(rows).toEqual([{ market_state: 'closed', metadata: { client_market_state: 'regular' } }])
})

test('microseconds of the publication are kept, whatever the zone', async () => {
  const { news_id } = await client.tool('persist_news_catalyst', {
    ...story({
      headline: uniqueHeadline(),
      published_timestamp: '2024-08-12T10:00:00.123456-04:00',
    }),
  })
  const rows = await database.query(
    `select to_char(published_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as at
     from catalyst.news_articles where news_id = $1`,
    [news_id],
  )
  expect(rows).toEqual([{ at: '2024-08-12 14:00:00.123456' }])
})

test('an unknown source is added with tier 5; a name that only contains a known one is unknown', async () => {
  const answer = await client.tool('persist_news_catalyst', {
    ...story({ headline: uniqueHeadline(), source: '  Not Reuters At All ' }),
  })
  expect(answer.score_components.tier_weight).toBe(0.2)
  const rows = await database.query(
    `select name, tier, tier_origin from catalyst.news_sources where name like 'Not%'`,
  )
  expect(rows).toEqual([{ name: 'Not Reuters At All', tier: 5, tier_origin: 'default' }])
})

test.each([
  ['Dow Jones Newswires', 'Dow Jones'],
  ['the wall street journal', 'Wall Street Journal'],
  ['REUTERS.COM', 'Reuters'],
  [' Zacks Commentary ', 'Zacks'],
])('source %s is %s', async (given, name) => {
  const { news_id } = await client.tool('persist_news_catalyst', {
    ...story({ headline: uniqueHeadline(), source: given }),
  })
  const rows = await database.query(
    `select s.name from catalyst.news_articles a join catalyst.news_sources s using (source_id)
     where a.news_id = $1`,
    [news_id],
  )
  expect(rows).toEqual([{ name }])
})

test('a stored story cannot be changed or deleted, except its repeats and its cluster', async () => {
  const { news_id } = await client.tool(
    'persist_news_catalyst',
    story({ headline: uniqueHeadline() }),
  )
  const change = (set: string) =>
    database.query(`update catalyst.news_articles set ${set} where news_id = $1`, [news_id])
  await expect(change(`headline = 'x'`)).rejects.toThrow('immutable')
  await expect(change('catalyst_score = 99')).rejects.toThrow('immutable')
  await expect(
    database.query('delete from catalyst.news_articles where news_id = $1', [news_id]),
  ).rejects.toThrow('immutable')
  await expect(change('update_count = update_count + 1')).resolves.toEqual([])
})
