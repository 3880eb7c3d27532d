import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { closePosition, type Result, tell } from './support.js'

const { client, database } = await startApp()
const SOURCES = ['Reuters', 'Zacks', 'a blog of somebody'] as const

type Step =
  | { readonly kind: 'trade'; readonly source: string; readonly result: Result }
  | { readonly kind: 'outcomes'; readonly batch_size: number }
  | { readonly kind: 'metrics'; readonly recalculate_all: boolean }

const trade = fc.record({
  kind: fc.constant('trade' as const),
  source: fc.constantFrom(...SOURCES),
  result: fc.constantFrom<Result>('win', 'loss', 'scratch'),
})
const outcomes = fc.record({
  kind: fc.constant('outcomes' as const),
  batch_size: fc.integer({ min: 1, max: 4 }),
})
const metrics = fc.record({ kind: fc.constant('metrics' as const), recalculate_all: fc.boolean() })
const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(trade, trade, outcomes, metrics), {
  minLength: 5,
  maxLength: 25,
})

async function take(step: Step): Promise<void> {
  if (step.kind === 'trade') {
    await closePosition(client, step.result, await tell(client, step.source))
  } else if (step.kind === 'outcomes') {
    await client.tool('sync_catalyst_outcomes', { batch_size: step.batch_size })
  } else {
    await client.tool('sync_source_metrics', { recalculate_all: step.recalculate_all })
  }
}

/** Wins and losses of each source, counted from the positions themselves. */
const counted = () =>
  database.query<{ name: string; wins: number; losses: number }>(`
    select
      s.name,
      count(*) filter (where p.outcome = 'win')::int as wins,
      count(*) filter (where p.outcome = 'loss')::int as losses
    from catalyst.positions p
    join catalyst.news_articles a on a.news_id = p.entry_news_id
    join catalyst.news_sources s using (source_id)
    where p.status = 'closed' and p.outcome <> 'scratch'
    group by s.name
    order by s.name`)

/** The same as it was learned, with the reliability that follows. */
async function learned() {
  const { sources } = await client.resource('news/sources?limit=500')
  return sources.filter(({ n_eff }: { n_eff: number }) => n_eff > 0)
}

test('whatever order trades, syncs and recounts come in, each result counts once for its source', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      for (const step of taken) await take(step)
      await client.tool('sync_catalyst_outcomes')
      await client.tool('sync_source_metrics')
      const known = await learned()
      const byName = new Map(known.map((one: { source_name: string }) => [one.source_name, one]))
      const expected = await counted()
      expect(byName.size).toBe(expected.length)
      for (const { name, wins, losses } of expected) {
        expect(byName.get(name)).toMatchObject({
          totals: { w_win: wins, w_loss: losses },
          reliability: expect.closeTo((10 + wins) / (20 + wins + losses), 7),
        })
      }
      const again = await client.tool('sync_source_metrics', { recalculate_all: true })
      expect(again.sources_updated).toBe(0)
      expect(await learned()).toEqual(
        known.map((one: object) => ({ ...one, as_of: expect.any(String) })),
      )
    }),
    { numRuns: 12 },
  )
}, 600_000)
