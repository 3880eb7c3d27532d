import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { minutesAfter, story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, database } = await startApp()
const START = '2024-08-12T14:00:00Z'

const totals = async (source: string) => {
  const [row] = await database.query(
    `select articles, duplicates, confirmed from catalyst.source_totals where source_name = $1`,
    [source],
  )
  return row
}

test('totals count new stories, repeats and confirmed stories, but not the same row sent again', async () => {
  const [headline, symbol] = [uniqueHeadline(), uniqueSymbol()]
  const first = story({ headline, symbol, source: 'Zacks' })
  const repeat = { ...first, published_timestamp: minutesAfter(START, 5) }
  const confirming = story({
    headline,
    symbol,
    source: 'Bloomberg',
    published_timestamp: minutesAfter(START, 9),
  })
  await client.tool('persist_news_batch', { articles: [first, first, repeat], deduplicate: true })
  await client.tool('persist_news_catalyst', confirming)
  const expected = { articles: 1, duplicates: 1, confirmed: 1 }
  expect(await totals('Zacks')).toEqual(expected)
  await client.tool('persist_news_batch', { articles: [first, confirming], deduplicate: true })
  expect(await totals('Zacks')).toEqual(expected)
  expect(await totals('Bloomberg')).toEqual({ articles: 1, duplicates: 0, confirmed: 0 })
})

test('an open transaction of one writer does not hold up another of the same source', async () => {
  const { session_id } = await client.tool('start_db_session')
  const told = () => story({ headline: uniqueHeadline(), symbol: uniqueSymbol() })
  await client.tool('persist_news_catalyst', { ...told(), session_id })
  const before = await totals('Reuters')
  await client.tool('persist_news_catalyst', told())
  const { transaction_state } = await client.resource(`db/sessions/${session_id}`)
  expect(transaction_state).toBe('active')
  expect(await totals('Reuters')).toEqual({ ...before, articles: (before?.articles ?? 0) + 1 })
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await totals('Reuters')).toEqual({ ...before, articles: (before?.articles ?? 0) + 2 })
})
