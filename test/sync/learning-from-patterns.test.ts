import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { detection, uniqueType } from '../trading/pattern-support.js'
import { fill, uniqueSymbol } from '../trading/support.js'

const { client } = await startApp()
const DETECTED = '2025-07-08T14:02:00Z'
const minutesLater = (minutes: number) =>
  new Date(Date.parse(DETECTED) + minutes * 60_000).toISOString()

/** A detection, and a position opened on it that ends as told. */
async function traded(pattern_type: string, exit: string): Promise<number> {
  const symbol = uniqueSymbol()
  const { pattern_id } = await client.tool('persist_pattern_detection', {
    ...detection({ symbol, pattern_type, detected_at: DETECTED, direction: 'bullish' }),
  })
  const at = (fill_price: string, minute: number) => ({
    fill_price,
    fill_time: minutesLater(minute),
  })
  await client.tool('persist_trade_execution', fill({ symbol }, at('100', 5)))
  await client.tool('persist_trade_execution', fill({ symbol, side: 'sell' }, at(exit, 20)))
  return pattern_id
}

test('positions opened on patterns tell how often such patterns come true', async () => {
  const pattern_type = uniqueType()
  for (const exit of ['102', '103', '101', '97', '100.01']) await traded(pattern_type, exit)
  const answer = await client.tool('sync_pattern_outcomes', { pattern_types: [pattern_type] })
  expect(answer).toEqual({
    patterns_updated: 5,
    success_rate_changes: {
      [pattern_type]: { from: 0.5, to: expect.closeTo((3 + 5) / 14, 9), n: 4 },
    },
  })
  const again = await client.tool('sync_pattern_outcomes')
  expect(again).toEqual({ patterns_updated: 0, success_rate_changes: {} })
  const { items } = await client.resource(`patterns/statistics?pattern_type=${pattern_type}`)
  expect(items).toMatchObject([{ n: 4, wins: 3, rate: 0.75 }])
  const { historical_success_rate, sample_size } = await client.tool(
    'persist_pattern_detection',
    detection({ symbol: uniqueSymbol(), pattern_type }),
  )
  expect(sample_size).toBe(4)
  expect(historical_success_rate).toBeGreaterThan(0.5)
})

test('old patterns that nothing can tell are given up once, and no longer wait', async () => {
  const pattern_type = uniqueType()
  await client.tool('sync_catalyst_outcomes')
  await client.tool('sync_source_metrics')
  await client.tool('persist_pattern_detection', {
    ...detection({ symbol: uniqueSymbol(), pattern_type, detected_at: DETECTED }),
  })
  expect((await client.resource('db/sync/status')).pattern_outcomes).toMatchObject({
    due_outcomes: 1,
  })
  expect((await client.tool('sync_pattern_outcomes')).patterns_updated).toBe(1)
  expect(await client.resource('db/sync/status')).toMatchObject({
    pattern_outcomes: { due_outcomes: 0 },
    has_pending: false,
  })
})

test('inside a transaction the sync is one of its operations, and is undone with it', async () => {
  const pattern_type = uniqueType()
  await traded(pattern_type, '102')
  const { session_id } = await client.tool('start_db_session')
  const { results } = await client.tool('execute_transaction', {
    session_id,
    operations: [
      { tool: 'sync_pattern_outcomes', params: { pattern_types: [pattern_type] } },
      { resource: `patterns/statistics?pattern_type=${pattern_type}` },
    ],
    commit: false,
  })
  expect(results).toMatchObject([{ patterns_updated: 1 }, { items: [{ n: 1, wins: 1 }] }])
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  const { items } = await client.resource(`patterns/statistics?pattern_type=${pattern_type}`)
  expect(items).toEqual([])
})
