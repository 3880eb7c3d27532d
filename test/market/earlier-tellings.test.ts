import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { minutesAfter, story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, database } = await startApp()
const START = '2024-08-12T04:00:00Z'
const HOUR = 60

type Send = (source: string, hours: number) => Promise<{ news_id: string; duplicate: boolean }>

/** Tells one headline of one company from several sources at several times. */
function telling(): { send: Send; sendInSession: Send } {
  const [headline, symbol] = [uniqueHeadline(), uniqueSymbol()]
  const article = (source: string, hours: number) =>
    story({
      headline,
      symbol,
      source,
      published_timestamp: minutesAfter(START, hours * HOUR),
      catalyst_indicators: { keywords: [`at ${hours}`] },
    })
  const send: Send = (source, hours) => client.tool('persist_news_catalyst', article(source, hours))
  return {
    send,
    async sendInSession(source, hours) {
      const { session_id } = await client.tool('start_db_session')
      const answer = await client.tool('persist_news_catalyst', {
        ...article(source, hours),
        session_id,
      })
      await client.tool('end_db_session', { session_id, outcome: 'commit' })
      return answer
    },
  }
}

const read = (newsId: string) => client.resource(`catalyst://news/${newsId}`)

/** Stories of a source that trusted ones confirmed, and how long before them it told them. */
async function confirmedOf(source: string) {
  const [row] = await database.query(
    `select sum(a.confirmed)::int as confirmed, sum(a.lead_minutes)::float8 as lead_minutes
     from catalyst.source_activity a join catalyst.news_sources s using (source_id)
     where s.name = $1`,
    [source],
  )
  return row
}

test.each(['send', 'sendInSession'] as const)(
  'an earlier telling that arrives later counts as the first, and the stored story stays (%s)',
  async (how) => {
    const source = uniqueHeadline()
    const { send, ...others } = telling()
    const first = await send(source, 20)
    const trusted = await send('Reuters', 21)
    expect((await read(first.news_id)).confirmed_by).toMatchObject([{ delay_minutes: HOUR }])
    const again = await { send, ...others }[how](source, 2)
    expect(again).toMatchObject({ news_id: first.news_id, duplicate: true })
    const stored = await read(first.news_id)
    expect(stored).toMatchObject({
      published_at: '2024-08-13T00:00:00Z',
      keywords: ['at 20'],
      update_count: 1,
      confirmed_by: [{ news_id: trusted.news_id, delay_minutes: 19 * HOUR }],
      cluster: {
        first_published_at: '2024-08-12T06:00:00Z',
        last_published_at: '2024-08-13T01:00:00Z',
        keywords: ['at 2', 'at 21'],
        article_count: 2,
      },
    })
    expect(await confirmedOf(source)).toEqual({ confirmed: 1, lead_minutes: 19 * HOUR })
  },
)

test.each(['send', 'sendInSession'] as const)(
  'nothing is confirmed by a source that turns out to have told it before (%s)',
  async (how) => {
    const source = uniqueHeadline()
    const tell = telling()
    const first = await tell.send(source, 10)
    const trusted = await tell.send('Reuters', 12)
    expect(await confirmedOf(source)).toEqual({ confirmed: 1, lead_minutes: 2 * HOUR })
    const { next_cursor: after } = await client.tool('list_events', { limit: 1_000 })
    await tell[how]('Reuters', 1)
    expect((await read(first.news_id)).confirmed_by).toEqual([])
    expect((await read(trusted.news_id)).confirms).toEqual([])
    expect(await confirmedOf(source)).toEqual({ confirmed: 0, lead_minutes: 0 })
    await expect
      .poll(async () => {
        const { events } = await client.tool('list_events', { after, limit: 1_000 })
        return JSON.stringify(events)
      })
      .toContain(first.news_id)
  },
)

test.each(['send', 'sendInSession'] as const)(
  'stories whose first tellings lie more than a day apart are no cluster any more (%s)',
  async (how) => {
    const tell = telling()
    const first = await tell.send('Zacks', 20)
    const other = await tell.send('Benzinga', 30)
    const third = await tell.send('TipRanks', 31)
    const { cluster_id } = await read(first.news_id)
    expect((await read(other.news_id)).cluster_id).toBe(cluster_id)
    await tell[how]('Zacks', 1)
    const alone = await read(first.news_id)
    expect(alone).toMatchObject({ cluster: null, update_count: 1 })
    const stay = [await read(other.news_id), await read(third.news_id)]
    expect(stay[0].cluster_id).toBe(stay[1].cluster_id)
    expect(stay[0].cluster_id).not.toBe(alone.cluster_id)
    expect(stay[0].cluster).toMatchObject({ article_count: 2 })
  },
)

test('what is told for another company says nothing of when the story of this one began', async () => {
  const [headline, symbol, other] = [uniqueHeadline(), uniqueSymbol(), uniqueSymbol()]
  const about = (company: string, source: string, minutes: number) =>
    client.tool(
      'persist_news_catalyst',
      story({
        headline,
        source,
        symbol: company,
        published_timestamp: minutesAfter(START, minutes),
      }),
    )
  const { news_id } = await about(symbol, 'Zacks', 20)
  await about(symbol, 'Benzinga', 30)
  await about(other, 'Zacks', 0)
  const { cluster, symbols } = await read(news_id)
  expect(cluster.first_published_at).toBe('2024-08-12T04:20:00Z')
  expect(symbols).toHaveLength(2)
})
