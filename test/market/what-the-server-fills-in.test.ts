import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { minutesAfter, story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, database } = await startApp()

const bare = (overrides: Record<string, unknown> = {}) => ({
  ...story({ headline: uniqueHeadline(), symbol: uniqueSymbol(), ...overrides }),
  catalyst_indicators: undefined,
})
const stored = async (news_id: string) => {
  const [row] = await database.query(
    `select urgency::float8 as urgency, keywords, metadata, market_state
     from catalyst.news_articles where news_id = $1`,
    [news_id],
  )
  return row
}

test('a story without indicators has no keywords and no urgency, and its market state is computed', async () => {
  const { news_id, market_state, warnings } = await client.tool('persist_news_catalyst', bare())
  expect({ market_state, warnings }).toEqual({ market_state: 'regular', warnings: [] })
  const empty = { urgency: 0, keywords: [], metadata: {}, market_state: 'regular' }
  expect(await stored(news_id)).toEqual(empty)
  const { news_ids } = await client.tool('persist_news_batch', { articles: [bare()] })
  expect(await stored(news_ids[0])).toEqual(empty)
})

test('each indicator may be left out on its own', async () => {
  const given = { keywords: ['FDA'], urgency_score: 0.25, market_state: 'regular' }
  for (const left of Object.keys(given)) {
    const { [left]: _, ...catalyst_indicators } = { ...given } as Record<string, unknown>
    const answer = await client.tool('persist_news_catalyst', { ...bare(), catalyst_indicators })
    expect(answer.warnings).toEqual([])
    expect(await stored(answer.news_id)).toMatchObject({
      urgency: left === 'urgency_score' ? 0 : 0.25,
      keywords: left === 'keywords' ? [] : ['fda'],
    })
  }
})

test('an urgency is rounded to the four decimals that are kept, and answered so', async () => {
  const kept = async (urgency_score: number) => {
    const catalyst_indicators = { urgency_score }
    const answer = await client.tool('persist_news_catalyst', { ...bare(), catalyst_indicators })
    return (await client.resource(`catalyst://news/${answer.news_id}`)).urgency_score
  }
  expect(await kept(0.123449)).toBe(0.1234)
  expect(await kept(0.123451)).toBe(0.1235)
  expect(await kept(0.99999)).toBe(1)
  expect(await kept(1e-9)).toBe(0)
})

test('a batch deduplicates unless it says otherwise', async () => {
  const first = bare()
  const repeat = { ...first, published_timestamp: minutesAfter(first.published_timestamp, 5) }
  const answer = await client.tool('persist_news_batch', { articles: [first, repeat] })
  expect(answer).toMatchObject({ new_articles: 1, duplicates: 1 })
})

test('news_ids follow the order of the input: null where rejected, the story where a duplicate', async () => {
  const [a, b] = [bare(), bare({ published_timestamp: '2024-08-12T13:00:00Z' })]
  const known = await client.tool('persist_news_catalyst', bare({ headline: a.headline }))
  const repeat = { ...b, published_timestamp: '2024-08-12T13:30:00Z' }
  const articles = [a, { headline: 7 }, repeat, b, b]
  const { news_ids, errors, duplicates } = await client.tool('persist_news_batch', { articles })
  const idOfB = (await client.tool('persist_news_catalyst', b)).news_id
  expect(news_ids).toEqual([known.news_id, null, idOfB, idOfB, idOfB])
  expect({ duplicates, rejected: errors.length }).toEqual({ duplicates: 3, rejected: 1 })
})
