import { expect, test } from 'vitest'
import { uniqueHeadline } from '../market/support.js'
import { startApp } from '../support/app.js'
import { uniqueSymbol } from '../trading/support.js'
import { closePosition, tell } from './support.js'

const { client, database } = await startApp()

/** Stores bars that close at these prices, given by an instant of each. */
const bars = (symbol: string, timeframe: string, closes: Record<string, number>) =>
  client.tool('persist_price_bars', {
    symbol,
    timeframe,
    bars: Object.entries(closes).map(([ts, close]) => ({
      ts,
      open: close,
      high: close,
      low: close,
      close,
    })),
  })

/** A story that a position cites, told at an instant. */
async function cite(published_timestamp: string, symbol: string | undefined = uniqueSymbol()) {
  const news_id = await tell(client, uniqueHeadline(), { published_timestamp, symbol })
  await closePosition(client, 'win', news_id)
  return { news_id, symbol }
}

const moves = async (news_id: string) => {
  await client.tool('sync_catalyst_outcomes')
  const [row] = await database.query(
    'select status, move_1h, move_24h, reason from catalyst.news_outcomes where news_id = $1',
    [news_id],
  )
  return row
}

test('the moves of an hour and a day are told by the shortest bars there are', async () => {
  // 10:00 in New York on a Monday.
  const { news_id, symbol } = await cite('2024-08-12T14:00:00Z')
  await bars(symbol, '5m', {
    '2024-08-12T13:50:00Z': 99,
    '2024-08-12T13:55:00Z': 100,
    '2024-08-12T14:00:00Z': 150,
    '2024-08-12T14:55:00Z': 101.5,
    '2024-08-12T15:00:00Z': 150,
    '2024-08-13T13:55:00Z': 98,
  })
  await bars(symbol, '1h', { '2024-08-12T13:00:00Z': 1, '2024-08-12T14:00:00Z': 2 })
  expect(await moves(news_id)).toEqual({
    status: 'resolved',
    move_1h: '150.0000',
    move_24h: '-200.0000',
    reason: null,
  })
})

test('over a weekend the last bar of Friday is near, because nothing was traded', async () => {
  // Friday 15:30; a day later the market is closed.
  const { news_id, symbol } = await cite('2024-08-09T19:30:00Z')
  await bars(symbol, '30m', { '2024-08-09T19:00:00Z': 100, '2024-08-09T19:30:00Z': 102 })
  expect(await moves(news_id)).toMatchObject({
    status: 'resolved',
    move_1h: '200.0000',
    move_24h: '200.0000',
  })
})

test('bars more than two lengths away tell nothing, and those that come later tell it again', async () => {
  const { news_id, symbol } = await cite('2024-08-12T14:00:00Z')
  await bars(symbol, '5m', { '2024-08-12T13:55:00Z': 100, '2024-08-12T14:40:00Z': 105 })
  const told = await moves(news_id)
  expect(told).toMatchObject({ status: 'unresolvable', move_1h: null })
  expect(told?.reason).toMatch(/the hour and the day/)
  await bars(symbol, '5m', { '2024-08-12T14:55:00Z': 101, '2024-08-13T13:55:00Z': 102 })
  expect(await moves(news_id)).toEqual({
    status: 'resolved',
    move_1h: '100.0000',
    move_24h: '200.0000',
    reason: null,
  })
  await bars(symbol, '5m', { '2024-08-12T13:55:00Z': 101 })
  expect(await moves(news_id)).toMatchObject({ move_1h: '0.0000', move_24h: '99.0099' })
})

test.each([
  ['after the close', '2024-08-12T20:01:00Z', '1000.0000'],
  ['at the close', '2024-08-12T20:00:00Z', '1000.0000'],
  ['in the session', '2024-08-12T19:59:00Z', '1111.1111'],
  ['after a close at 13:00, for a day', '2024-07-03T17:30:00Z', '0.0000'],
])('a story %s is judged by the days that had ended', async (_, published, move_24h) => {
  const { news_id, symbol } = await cite(published)
  await bars(symbol, '1d', {
    '2024-07-02T00:00:00Z': 80,
    '2024-07-03T00:00:00Z': 88,
    '2024-08-09T00:00:00Z': 90,
    '2024-08-12T00:00:00Z': 100,
    '2024-08-13T00:00:00Z': 110,
  })
  expect(await moves(news_id)).toMatchObject({ move_24h })
})

test('a story without a symbol has no price', async () => {
  const news_id = await tell(client, uniqueHeadline(), { symbol: undefined })
  await closePosition(client, 'win', news_id)
  expect(await moves(news_id)).toMatchObject({
    status: 'unresolvable',
    reason: expect.stringContaining('symbol'),
  })
})

test('a recent story is waited for', async () => {
  const { news_id } = await cite(new Date(Date.now() - 60_000).toISOString())
  expect(await moves(news_id)).toMatchObject({ status: 'pending', reason: null })
})

test('what waits does not keep later stories from being told', async () => {
  const { news_id } = await cite('2024-08-12T14:00:00Z')
  await client.tool('sync_catalyst_outcomes')
  const [row] = await database.query(
    `select count(*)::int as n from catalyst.news_outcomes o
     join catalyst.news_articles a using (news_id)
     where o.status = 'pending' and a.published_at < now() - interval '5 days'`,
  )
  expect(row).toEqual({ n: 0 })
  expect(await moves(news_id)).toMatchObject({ status: 'unresolvable' })
})
