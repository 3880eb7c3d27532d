import { expect, test } from 'vitest'
import { minutesAfter, story, uniqueSymbol } from '../market/support.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { closePosition, tell } from '../sync/support.js'

const { client, database } = await startApp()
const START = '2024-08-12T14:00:00Z'

let after = 0
/** The news named by the events since the last time this was asked. */
async function namedNews(): Promise<string[]> {
  await waitFor(
    async () => (await database.query('select 1 from catalyst.event_outbox')).length === 0,
  )
  const { events, next_cursor } = await client.tool('list_events', { after, limit: 1_000 })
  after = next_cursor
  const refs = events
    .filter(({ type }: { type: string }) => type === 'db.transaction')
    .flatMap(({ data }: { data: { refs: { kind: string; id: string }[] } }) => data.refs)
  return refs
    .filter(({ kind }: { kind: string }) => kind === 'news')
    .map(({ id }: { id: string }) => id)
    .sort()
}

async function now(): Promise<string> {
  const [row] = await database.query<{ now: string }>('select clock_timestamp() as now')
  return encodeURIComponent(row?.now ?? '')
}

/** The ids of what a list shows as stored or changed since. */
async function since(path: string, instant: string, id: string): Promise<string[]> {
  const { items } = await client.resource(`${path}&limit=500&stored_since=${instant}`)
  return items.map((item: Record<string, string>) => item[id]).sort()
}

const told = (symbol: string, headline: string, source: string, minutes: number) =>
  story({
    headline: headline.replace('Acme', symbol),
    source,
    symbol,
    published_timestamp: minutesAfter(START, minutes),
  })

const send = async (one: Record<string, unknown>): Promise<string> =>
  (await client.tool('persist_news_catalyst', one)).news_id

test.each(['by itself', 'in a session'])(
  'a story that joins two clusters is told with all that it changes (%s)',
  async (how) => {
    const symbol = uniqueSymbol()
    const left = await send(told(symbol, 'Acme plans new Ohio battery site', 'Zacks', 0))
    const right = await send(told(symbol, 'Acme battery site with state grant', 'TipRanks', 5))
    const apart = await send(told(symbol, 'Acme opens a canteen', 'Zacks', 6))
    await namedNews()
    const instant = await now()
    const bridge = told(symbol, 'Acme plans Ohio battery site with state grant', 'Reuters', 9)
    let joined: string
    if (how === 'by itself') joined = await send(bridge)
    else {
      const { session_id } = await client.tool('start_db_session')
      joined = await send({ ...bridge, session_id })
      await client.tool('end_db_session', { session_id, outcome: 'commit' })
    }
    const changed = [left, right, joined].sort()
    expect(await namedNews()).toEqual(changed)
    expect(await since(`news?symbol=${symbol}`, instant, 'news_id')).toEqual(changed)
    expect(changed).not.toContain(apart)
  },
)

test.each(['by itself', 'in a session'])(
  'who is in a cluster has changed with its figures (%s)',
  async (how) => {
    const symbol = uniqueSymbol()
    const headline = 'Acme plans new Ohio battery site'
    const send = async (source: string, minutes: number, session_id?: string): Promise<string> => {
      const one = { ...told(symbol, headline, source, minutes), ...(session_id && { session_id }) }
      return (await client.tool('persist_news_catalyst', one)).news_id
    }
    const members = [await send('Zacks', 0), await send('TipRanks', 5), await send('Benzinga', 6)]
    const apart = await client.tool(
      'persist_news_catalyst',
      told(symbol, 'Acme opens a canteen', 'Zacks', 6),
    )
    await namedNews()
    const instant = await now()
    if (how === 'by itself') members.push(await send('Stocktwits', 7))
    else {
      const { session_id } = await client.tool('start_db_session')
      members.push(await send('Stocktwits', 7, session_id))
      await client.tool('end_db_session', { session_id, outcome: 'commit' })
    }
    expect(await namedNews()).toEqual([...members].sort())
    const listed = await since(`news?symbol=${symbol}`, instant, 'news_id')
    expect(listed).toEqual([...members].sort())
    expect(listed).not.toContain(apart.news_id)
  },
)

test('a confirmation that gives way to an earlier one changes the story it came from', async () => {
  const symbol = uniqueSymbol()
  const trusted = ['Bloomberg', 'Reuters', 'Dow Jones', 'Associated Press', 'CNBC', 'MarketWatch']
  const text = 'Acme plans new Ohio battery site'
  const first = await send(told(symbol, text, 'Zacks', 0))
  const cluster = [first]
  for (const [i, source] of [...trusted, 'Wall Street Journal'].entries()) {
    cluster.push(await send(told(symbol, text, source, 10 + i)))
  }
  // These contradict each other, so that the eighth to confirm is in a cluster of its own.
  const last = await send(told(symbol, `${text} in Q2`, 'Financial Times', 30))
  await send(told(symbol, `${text} in Q3`, 'Benzinga', 31))
  expect((await client.resource(`news/${last}`)).confirms).toMatchObject([{ news_id: first }])
  await namedNews()
  const instant = await now()
  cluster.push(await send(told(symbol, `${text} today`, 'Reuters', 5)))
  expect((await client.resource(`news/${last}`)).confirms).toEqual([])
  const changed = [...cluster, last].sort()
  expect(await namedNews()).toEqual(changed)
  expect(await since(`news?symbol=${symbol}`, instant, 'news_id')).toEqual(changed)
})

test('a story told before its confirmation is told with the one that confirms it', async () => {
  const symbol = uniqueSymbol()
  const trusted = await send(told(symbol, 'Acme plans new Ohio battery site', 'Reuters', 30))
  await namedNews()
  const instant = await now()
  const first = await send(told(symbol, 'Acme plans new Ohio battery site', 'Zacks', 0))
  expect(await namedNews()).toEqual([first, trusted].sort())
  expect(await since(`news?symbol=${symbol}`, instant, 'news_id')).toEqual([first, trusted].sort())
})

test('a repeat changes the story that it repeats; the very same one changes nothing', async () => {
  const symbol = uniqueSymbol()
  const one = told(symbol, 'Acme plans new Ohio battery site', 'Zacks', 0)
  const news_id = await send(one)
  const before = await now()
  await send(told(symbol, 'Acme plans new Ohio battery site', 'Zacks', 60))
  expect(await since(`news?symbol=${symbol}`, before, 'news_id')).toEqual([news_id])
  const later = await now()
  await send(one)
  expect(await since(`news?symbol=${symbol}`, later, 'news_id')).toEqual([])
})

test('a position that was learned from has changed', async () => {
  await closePosition(client, 'win', await tell(client, 'Reuters'))
  const { items } = await client.resource('positions?limit=500')
  const instant = await now()
  await client.tool('sync_catalyst_outcomes', {})
  const ids = items.map(({ position_id }: { position_id: string }) => position_id).sort()
  expect(ids.length).toBeGreaterThan(0)
  expect(await since('positions?status=closed', instant, 'position_id')).toEqual(ids)
})

test('a corrected bar changes every bar whose indicators follow from it', async () => {
  const symbol = uniqueSymbol()
  const bars = Array.from({ length: 60 }, (_, i) => ({
    ts: new Date(Date.parse('2024-08-12T14:00:00Z') + i * 60_000).toISOString(),
    open: '10',
    high: '11',
    low: '9',
    close: '10',
    volume: '1',
  }))
  await client.tool('persist_price_bars', { symbol, timeframe: '1m', bars })
  const all = await client.resource(`prices?symbol=${symbol}&limit=500`)
  const instant = await now()
  await client.tool('persist_price_bars', {
    symbol,
    timeframe: '1m',
    bars: [{ ...bars[30], high: '13', close: '12' }],
  })
  const after = await client.resource(`prices?symbol=${symbol}&limit=500`)
  const changed = after.items.filter(
    (bar: object, i: number) => JSON.stringify(bar) !== JSON.stringify(all.items[i]),
  )
  expect(changed.length).toBeGreaterThan(20)
  expect(await since(`prices?symbol=${symbol}`, instant, 'ts')).toEqual(
    changed.map(({ ts }: { ts: string }) => ts).sort(),
  )
})
