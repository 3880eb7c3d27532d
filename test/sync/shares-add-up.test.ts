import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { uniqueHeadline } from '../market/support.js'
import { startApp } from '../support/app.js'
import { uniqueAccount } from '../trading/signals.js'
import { fill, uniqueSymbol } from '../trading/support.js'
import { closePosition, tell } from './support.js'

const folder = mkdtempSync(join(tmpdir(), 'catalyst-shares-'))
afterAll(() => rmSync(folder, { recursive: true }))
const policy = join(folder, 'policy.toml')
writeFileSync(policy, '[learning]\nsource_rated_from = 1\n')

const { client, database } = await startApp({ env: { CATALYST_POLICY_FILE: policy } })
const EXITS = { win: '101', loss: '99' }

/** A position that was opened by a signal which cites these stories. */
async function close(result: keyof typeof EXITS, news_ids: readonly string[]): Promise<string> {
  const [symbol, account_id] = [uniqueSymbol(), uniqueAccount()]
  const { signal_id } = await client.tool('persist_trading_signal', {
    symbol,
    signal_type: 'BUY',
    confidence: 0.8,
    account_id,
    catalyst_context: { news_ids },
    technical_context: { patterns: [], indicators: {} },
  })
  const opening = fill({ symbol, account_id, signal_id }, { fill_price: '100' })
  await client.tool('persist_trade_execution', { ...opening, catalyst_tracking: {} })
  const { closed_position } = await client.tool(
    'persist_trade_execution',
    fill({ symbol, account_id, side: 'sell' }, { fill_price: EXITS[result] }),
  )
  return closed_position.position_id
}

const tellAll = (source: string, n: number) =>
  Promise.all(Array.from({ length: n }, () => tell(client, source)))
const sourceNamed = async (name: string) =>
  (await client.resource(`news/sources?source=${encodeURIComponent(name)}`)).sources[0]
const sync = async () => {
  await client.tool('sync_catalyst_outcomes')
  await client.tool('sync_source_metrics')
}

test('the shares of a result are equal but for the last digit, and add up to one', async () => {
  const stories = await tellAll(uniqueHeadline(), 23)
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(stories, { minLength: 1 }), async (cited) => {
      const position_id = await close('win', cited)
      await client.tool('sync_catalyst_outcomes')
      const [row] = await database.query(
        `select count(*)::int as n, sum(weight)::text as sum, (max(weight) - min(weight))::text as apart
         from catalyst.news_outcome_evidence where position_id = $1`,
        [position_id],
      )
      expect(row).toMatchObject({ n: cited.length, sum: '1.000000000000' })
      expect(Number(row?.apart)).toBeLessThanOrEqual(1e-12)
    }),
    { numRuns: 8 },
  )
})

test('three thirds are one: for the threshold, the reliability and the verdict on a story', async () => {
  const sources = [uniqueHeadline(), uniqueHeadline(), uniqueHeadline()]
  const cited = await Promise.all(sources.map((source) => tell(client, source)))
  for (let i = 0; i < 3; i++) await close('win', cited)
  const whole = uniqueHeadline()
  await closePosition(client, 'win', await tell(client, whole))
  await sync()
  const { reliability, ci_low, ci_high } = await sourceNamed(whole)
  for (const source of sources) {
    expect(await sourceNamed(source)).toMatchObject({
      ...{ reliability, ci_low, ci_high, n_eff: 1, accuracy_rate: 1, is_rated: true },
      totals: { w_win: 1, w_loss: 0 },
    })
  }
  for (const news_id of cited) {
    const { outcome } = await client.resource(`news/${news_id}`)
    expect(outcome).toMatchObject({ was_accurate: true, w_win: 1, w_loss: 0 })
  }
  for (const news_id of cited) await close('loss', [news_id])
  await sync()
  for (const news_id of cited) {
    const { outcome } = await client.resource(`news/${news_id}`)
    expect(outcome).toMatchObject({ was_accurate: null, w_win: 1, w_loss: 1 })
  }
  const rows = await database.query(
    `select n_eff::float8 as n_eff from catalyst.source_metrics join catalyst.news_sources
       using (source_id) where name = any ($1)`,
    [sources],
  )
  expect(rows).toEqual([{ n_eff: 2 }, { n_eff: 2 }, { n_eff: 2 }])
  expect(
    (await client.tool('sync_source_metrics', { recalculate_all: true })).sources_updated,
  ).toBe(0)
})
