import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'

const { client, database } = await startApp()

const storedOf = async (symbol: string) =>
  (
    await database.query<{ n: number }>(
      `select count(*)::int as n
       from catalyst.news_articles a join catalyst.securities s using (security_id)
       where s.symbol = $1`,
      [symbol],
    )
  )[0]?.n

test.each(['read_committed', 'repeatable_read', 'serializable'])(
  'a %s session names new symbols and sources in one operation after the other',
  async (isolation_level) => {
    const { session_id } = await client.tool('start_db_session', { isolation_level })
    const symbols = [1, 2, 3].map((n) => `${isolation_level.slice(0, 4).toUpperCase()}${n}`)
    for (const symbol of symbols) {
      const story = article({ symbol, source: `The ${symbol} Gazette` })
      await client.tool('persist_news_catalyst', { ...story, session_id })
      await client.tool('persist_news_catalyst', { ...article({ symbol }), session_id })
      await client.tool('persist_price_bars', {
        symbol: `${symbol}B`,
        timeframe: '1d',
        bars: [
          {
            timestamp: '2024-08-09T13:30:00Z',
            open: '1',
            high: '2',
            low: '1',
            close: '2',
            volume: '10',
          },
        ],
        session_id,
        idempotency_key: `bars-${symbol}`,
      })
    }
    await client.tool('end_db_session', { session_id, outcome: 'commit' })
    for (const symbol of symbols) expect(await storedOf(symbol)).toBe(2)
  },
)

test('a name that somebody else has added since the snapshot is a conflict that repeating resolves', async () => {
  const isolation_level = 'repeatable_read'
  const { session_id } = await client.tool('start_db_session', { isolation_level })
  const operate = (symbol: string) =>
    client.tool('persist_news_catalyst', { ...article({ symbol }), session_id })
  await operate('SEEN')
  await client.tool('persist_news_catalyst', article({ symbol: 'LATER' }))
  await expect(operate('LATER')).rejects.toThrow('conflict')
  await operate('SEEN')
  await operate('LATER')
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await storedOf('LATER')).toBe(2)
})
