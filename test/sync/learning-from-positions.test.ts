import { expect, test } from 'vitest'
import { uniqueHeadline } from '../market/support.js'
import { startApp } from '../support/app.js'
import { fill, uniqueSymbol } from '../trading/support.js'
import { closePosition, learned, type Result, tell } from './support.js'

const { client, connect, database } = await startApp()

const syncAll = async () => ({
  outcomes: await client.tool('sync_catalyst_outcomes'),
  metrics: await client.tool('sync_source_metrics'),
})
const sourceNamed = async (name: string) =>
  (await client.resource(`news/sources?source=${encodeURIComponent(name)}`)).sources[0]
const outcomeOf = async (news_id: string) =>
  (await database.query('select * from catalyst.news_outcomes where news_id = $1', [news_id]))[0]

test('a source without results has the prior with its interval, and no accuracy rate', async () => {
  const source = uniqueHeadline()
  await tell(client, source)
  expect(await sourceNamed(source)).toMatchObject({
    source_name: source,
    tier: 5,
    reliability: 0.5,
    ci_low: expect.closeTo(0.3201, 4),
    ci_high: expect.closeTo(0.6799, 4),
    n_eff: 0,
    accuracy_rate: null,
    is_rated: false,
    totals: { articles: 1 },
  })
})

test.each([
  { wins: 8, losses: 2, reliability: 0.6, low: 0.4512, high: 0.7411, rate: 0.8 },
  { wins: 60, losses: 40, reliability: 0.5833, low: 0.5088, high: 0.6563, rate: 0.6 },
])('$wins wins and $losses losses make a reliability of $reliability', async (expected) => {
  const { wins, losses, reliability, low, high, rate } = expected
  const source = uniqueHeadline()
  const results: Result[] = [...Array(wins).fill('win'), ...Array(losses).fill('loss')]
  // As many at once as there are connections.
  const lanes = Array.from({ length: 8 }, async () => {
    for (let result = results.pop(); result; result = results.pop()) {
      await closePosition(client, result, await tell(client, source))
    }
  })
  await Promise.all(lanes)
  const { outcomes, metrics } = await syncAll()
  expect(outcomes).toEqual({
    trades_processed: wins + losses,
    news_accuracy_updated: wins + losses,
    source_metrics_updated: 1,
  })
  expect(metrics.sources_updated).toBe(1)
  expect(metrics.accuracy_changes[source]).toEqual({
    from: null,
    to: rate,
    n_eff: wins + losses,
    reliability: { from: 0.5, to: expect.closeTo(reliability, 4) },
  })
  expect(await sourceNamed(source)).toMatchObject({
    reliability: expect.closeTo(reliability, 4),
    ci_low: expect.closeTo(low, 4),
    ci_high: expect.closeTo(high, 4),
    accuracy_rate: rate,
    n_eff: wins + losses,
    is_rated: true,
  })
})

test('a second run finds nothing to do and changes nothing', async () => {
  await closePosition(client, 'win', await tell(client, uniqueHeadline()))
  await syncAll()
  const before = await learned(database)
  const { outcomes, metrics } = await syncAll()
  expect(outcomes).toEqual({
    trades_processed: 0,
    news_accuracy_updated: 0,
    source_metrics_updated: 0,
  })
  expect(metrics).toEqual({ sources_updated: 0, accuracy_changes: {} })
  expect(await learned(database)).toBe(before)
  const again = await client.tool('sync_source_metrics', { recalculate_all: true })
  expect(again.sources_updated).toBe(0)
  expect(await learned(database)).toBe(before)
})

test('the stories a position cites, of its entry and of its signal, share its result', async () => {
  const source = uniqueHeadline()
  const symbol = uniqueSymbol()
  const cited = [await tell(client, source), await tell(client, source), await tell(client, source)]
  const { signal_id } = await client.tool('persist_trading_signal', {
    symbol,
    signal_type: 'BUY',
    confidence: 0.8,
    catalyst_context: { news_ids: cited.slice(1) },
    technical_context: { patterns: [], indicators: {} },
  })
  const opening = fill({ symbol, signal_id, catalyst_tracking: { entry_news_id: cited[0] } })
  await client.tool('persist_trade_execution', opening)
  await client.tool('persist_trade_execution', fill({ symbol, side: 'sell' }, { fill_price: '60' }))
  await syncAll()
  for (const news_id of cited) {
    expect(await outcomeOf(news_id)).toMatchObject({
      was_accurate: true,
      w_win: expect.stringMatching(/^0\.33333333333[34]$/),
      w_loss: '0.000000000000',
      n_positions: 1,
    })
  }
  expect(await sourceNamed(source)).toMatchObject({ n_eff: 1, accuracy_rate: 1 })
  const [signal] = await database.query(
    'select status from catalyst.trading_signals where signal_id = $1',
    [signal_id],
  )
  expect(signal).toEqual({ status: 'executed' })
})

test('as many wins as losses, or only scratches, say nothing of a story', async () => {
  const [tied, scratched] = [
    await tell(client, uniqueHeadline()),
    await tell(client, uniqueHeadline()),
  ]
  await closePosition(client, 'win', tied)
  await client.tool('sync_catalyst_outcomes')
  expect(await outcomeOf(tied)).toMatchObject({ was_accurate: true })
  await closePosition(client, 'loss', tied)
  await closePosition(client, 'scratch', scratched)
  const { news_accuracy_updated } = await client.tool('sync_catalyst_outcomes')
  expect(news_accuracy_updated).toBe(1)
  expect(await outcomeOf(tied)).toMatchObject({ was_accurate: null, n_positions: 2 })
  expect(await outcomeOf(scratched)).toMatchObject({ was_accurate: null, n_positions: 1 })
})

test('a position that cites nothing is done with, and says why', async () => {
  const position_id = await closePosition(client, 'win', null)
  await syncAll()
  const [row] = await database.query(
    'select learned_at, no_evidence_reason from catalyst.positions where position_id = $1',
    [position_id],
  )
  expect(row?.learned_at).not.toBeNull()
  expect(row?.no_evidence_reason).toMatch(/no story/)
})

test('what waits is counted, an earlier close stays for a later run with an earlier since', async () => {
  await syncAll()
  await closePosition(client, 'win', await tell(client, uniqueHeadline()), 0)
  await closePosition(client, 'win', await tell(client, uniqueHeadline()), 60)
  expect(await client.resource('db/sync/status')).toMatchObject({
    catalyst_outcomes: { pending_updates: 2 },
    source_metrics: { pending_calculations: 0 },
    has_pending: true,
  })
  const late = await client.tool('sync_catalyst_outcomes', { since: '2024-08-12T15:00:00Z' })
  expect(late.trades_processed).toBe(1)
  expect(await client.resource('db/sync/status')).toMatchObject({
    catalyst_outcomes: { pending_updates: 1, watermark: '2024-08-12T15:30:00Z' },
    source_metrics: { pending_calculations: 1 },
  })
  expect((await syncAll()).outcomes.trades_processed).toBe(1)
  const status = await client.resource('db/sync/status')
  expect(status).toMatchObject({ catalyst_outcomes: { pending_updates: 0 } })
  expect(Date.parse(status.source_metrics.last_update)).toBeGreaterThan(Date.now() - 60_000)
})

test('a sync can be an operation of a transaction, and is undone with it', async () => {
  await syncAll()
  await closePosition(client, 'loss', await tell(client, uniqueHeadline()))
  const before = await learned(database)
  const { session_id } = await client.tool('start_db_session')
  const { results } = await client.tool('execute_transaction', {
    session_id,
    operations: [
      { tool: 'sync_catalyst_outcomes', params: { batch_size: 1 } },
      { tool: 'sync_source_metrics', params: {} },
      { resource: 'db/sync/status' },
    ],
    commit: false,
  })
  expect(results).toMatchObject([
    { trades_processed: 1 },
    { sources_updated: 1 },
    { catalyst_outcomes: { pending_updates: 0 } },
  ])
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  expect(await learned(database)).toBe(before)
})

test('each sync tells of its end in an event', async () => {
  const { next_cursor } = await client.tool('list_events')
  await syncAll()
  const seen: unknown[] = []
  let after = next_cursor
  while (seen.length < 2) {
    const page = await client.tool('list_events', {
      types: ['sync.completed'],
      after,
      wait_ms: 25_000,
    })
    seen.push(...page.events.map(({ data }: { data: { sync: string } }) => data.sync))
    after = page.next_cursor
  }
  expect(seen).toEqual(['catalyst_outcomes', 'source_metrics'])
})

test.each([
  ['sync_source_metrics', { sources: ['Reuters', 'no such source'] }, 'not_found', 'sources[1]'],
  ['sync_source_metrics', { sources: [] }, 'invalid_input', 'sources'],
  ['sync_catalyst_outcomes', { batch_size: 0 }, 'invalid_input', 'batch_size'],
  ['sync_catalyst_outcomes', { since: 'yesterday' }, 'invalid_input', 'since'],
])('%s with %j is refused', async (tool, args, code, field) => {
  expect(await client.refused(tool, args)).toMatchObject({
    code,
    message: expect.stringContaining(field),
  })
})

test('only the named sources are computed, by name or alias', async () => {
  const sources = [uniqueHeadline(), uniqueHeadline()]
  for (const source of sources) await closePosition(client, 'win', await tell(client, source))
  await client.tool('sync_catalyst_outcomes')
  const legacy = await connect('legacy')
  const { accuracy_changes } = await legacy.tool('sync_source_metrics', {
    sources: [` ${sources[0]?.toUpperCase()} `],
  })
  expect(Object.keys(accuracy_changes)).toEqual([sources[0]])
  expect((await client.tool('sync_source_metrics')).sources_updated).toBe(1)
})
