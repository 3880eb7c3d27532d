import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { closePosition, tell } from '../sync/support.js'
import { detection } from '../trading/pattern-support.js'
import { signal } from '../trading/signals.js'

const { client, database } = await startApp()

interface Told {
  readonly type: string
  readonly data: {
    readonly refs: readonly { kind: string; id: string; symbol: string | null }[]
    readonly session_id?: string | null
    readonly tools?: readonly string[]
  }
}

let after = 0
/** What was published since the last time this was asked, once everything is. */
async function told(type?: string): Promise<Told[]> {
  await waitFor(
    async () => (await database.query('select 1 from catalyst.event_outbox')).length === 0,
  )
  const { events, next_cursor } = await client.tool('list_events', { after, limit: 1_000 })
  after = next_cursor
  return events.filter((event: Told) => type === undefined || event.type === type)
}
const refsOf = async (type = 'db.transaction') =>
  (await told(type)).flatMap(({ data }) => data.refs)

test('each persisting tool names what it stored or changed, and nothing else', async () => {
  await told()
  const { news_id } = await client.tool('persist_news_catalyst', article({ symbol: 'AAPL' }))
  expect(await refsOf()).toEqual([{ kind: 'news', id: news_id, symbol: 'AAPL' }])

  const { signal_id } = await client.tool('persist_trading_signal', signal({ symbol: 'AAPL' }))
  expect(await refsOf()).toEqual([{ kind: 'signal', id: signal_id, symbol: 'AAPL' }])
  await client.tool('update_signal_status', { signal_id, status: 'cancelled', reason: 'test' })
  expect(await refsOf()).toEqual([{ kind: 'signal', id: signal_id, symbol: 'AAPL' }])

  const detected = detection()
  const { pattern_id } = await client.tool('persist_pattern_detection', detected)
  expect(await refsOf()).toEqual([
    { kind: 'pattern', id: String(pattern_id), symbol: detected.symbol },
  ])
  await client.tool('update_pattern_outcome', { pattern_id, success: true })
  expect(await refsOf()).toEqual([
    { kind: 'pattern', id: String(pattern_id), symbol: detected.symbol },
  ])
})

test('a fill names itself and every position it touched; a sync what it learned', async () => {
  await told()
  const cited = await tell(client, 'Reuters')
  await told()
  await closePosition(client, 'win', cited)
  const refs = await refsOf()
  const kinds = refs.map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'trade')).toHaveLength(2)
  expect(new Set(refs.filter(({ kind }) => kind === 'position').map(({ id }) => id)).size).toBe(1)
  await client.tool('sync_catalyst_outcomes', {})
  const events = await told()
  const synced = events.find(({ type }) => type === 'sync.completed')
  const position = refs.find(({ kind }) => kind === 'position')
  expect(synced?.data.refs).toContainEqual(position)
  expect(synced?.data.refs).toContainEqual(expect.objectContaining({ kind: 'news', id: cited }))
  const committed = events.filter(({ type }) => type === 'db.transaction')
  expect(committed.flatMap(({ data }) => data.refs)).toContainEqual(position)
  expect(events.find(({ type }) => type === 'job.finished')?.data.refs).toMatchObject([
    { kind: 'job' },
  ])
})

test('a session names what it commits, not what it undid, and not its handle', async () => {
  await told()
  const { session_id } = await client.tool('start_db_session')
  const kept = await client.tool('persist_news_catalyst', { ...article(), session_id })
  await client.refused('persist_news_catalyst', {
    ...article(),
    published_timestamp: 'never',
    session_id,
  })
  await client.refused('persist_trading_signal', {
    ...signal({
      catalyst_context: { ...signal().catalyst_context, news_ids: [`nws_${'0'.repeat(32)}`] },
    }),
    session_id,
  })
  await client.tool('execute_transaction', { session_id, operations: [{ resource: 'news' }] })
  const [event] = await told('db.transaction')
  expect(event?.data.refs.map(({ id }) => id)).toEqual([kept.news_id])
  expect(event?.data.session_id).toMatch(/^sess#[0-9a-f]{12}$/)
  expect(JSON.stringify(event)).not.toContain(session_id)
  // It is still good for its owner.
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
})

test('a batch names every story, in as many events as that takes', async () => {
  await told()
  const articles = Array.from({ length: 2_300 }, () => article())
  const { news_ids } = await client.tool('persist_news_batch', { articles, deduplicate: true })
  const events = await told('db.transaction')
  expect(events.map(({ data }) => data.refs.length)).toEqual([1_000, 1_000, 300])
  expect(events.flatMap(({ data }) => data.refs.map(({ id }) => id)).sort()).toEqual(
    [...news_ids].sort(),
  )
  expect(new Set(events.map(({ data }) => Reflect.get(data, 'transaction_id'))).size).toBe(1)
})

test.each(['news', 'signals', 'positions', 'trades', 'news/sources'])(
  '%s can be asked for what was stored since',
  async (path) => {
    const answer = await client.resource(`${path}?limit=500`)
    const all = answer.items ?? answer.sources
    expect(all.length).toBeGreaterThan(0)
    const [{ now }] = (await database.query<{ now: string }>(
      'select clock_timestamp() as now',
    )) as [{ now: string }]
    const since = async (instant: string) => {
      const found = await client.resource(
        `${path}?limit=500&stored_since=${encodeURIComponent(instant)}`,
      )
      return (found.items ?? found.sources).length
    }
    expect(await since('2020-01-01T00:00:00Z')).toBe(all.length)
    expect(await since(now)).toBe(0)
  },
)
