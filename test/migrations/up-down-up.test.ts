import { expect, test } from 'vitest'
import { bar, minute } from '../market/bars.js'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { closePosition, tell } from '../sync/support.js'
import { detection } from '../trading/pattern-support.js'
import { signal } from '../trading/signals.js'
import { catalogOf } from './catalog.js'
import { Operator } from './operator.js'

/** Rows in the tables of every built-in migration, made by the product itself. */
async function trade(operator: Operator): Promise<void> {
  const app = await startApp({ database: operator.database })
  const { client } = app
  await client.tool('persist_news_catalyst', article())
  await closePosition(client, 'win', await tell(client, 'Reuters'))
  await client.tool('persist_trading_signal', signal())
  await client.tool('persist_pattern_detection', detection())
  const bars = Array.from({ length: 30 }, (_, i) => bar(minute(i)))
  await client.tool('persist_price_bars', { symbol: 'AAPL', timeframe: '1m', bars })
  await client.tool('sync_catalyst_outcomes', {})
  await client.tool('sync_source_metrics', {})
  await app.close()
}

/** A table of each migration that a day of trading fills. */
const FILLED = [
  'audit_log',
  'news_articles',
  'jobs',
  'trade_executions',
  'price_bars',
  'sync_state',
]

test('every built-in migration goes down and up again from under its data, to an identical schema', async () => {
  const operator = await Operator.start()
  // A server that runs adds partitions to it.
  const schema = await catalogOf(operator.database, 'catalyst')
  await trade(operator)
  for (const table of FILLED) {
    expect(await operator.database.query(`select 1 from catalyst.${table} limit 1`)).toHaveLength(1)
  }
  const { current_version } = await operator.service.status()
  expect(await operator.down(0, true)).toHaveLength(current_version)
  expect(await catalogOf(operator.database, 'catalyst')).toBe('')
  expect(await operator.up()).toHaveLength(current_version)
  expect(await catalogOf(operator.database, 'catalyst')).toBe(schema)
  const versions = Array.from({ length: current_version }, (_, i) => i + 1)
  const log = await operator.database.query<{ entry: string }>(
    `select direction || ' ' || version as entry from catalyst.schema_migration_log order by log_id`,
  )
  expect(log.map(({ entry }) => entry)).toEqual([
    ...versions.map((version) => `up ${version}`),
    ...versions.toReversed().map((version) => `down ${version}`),
    ...versions.map((version) => `up ${version}`),
  ])
})
