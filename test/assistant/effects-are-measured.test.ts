import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.js'
import { assistantIn, bloated, WELL, type World } from './world.js'

/** An assistant in a world where the vacuum of one table leaves it with so many dead rows. */
async function vacuumLeaves(left: (dead: number) => number) {
  const app = await startApp()
  onTestFinished(app.close)
  let dead = 50_000
  const show = (world: World) => {
    const { findings, tables } = bloated(dead)
    Object.assign(world.resources, { 'db/findings': findings, 'db/performance/tables': tables })
  }
  const calls: unknown[] = []
  const world: World = {
    resources: { 'db/status': WELL },
    tools: {
      optimize_tables: (args) => {
        calls.push(args)
        dead = left(dead)
        show(world)
        return { tables_optimized: 1, space_reclaimed: '0 B', duration_ms: 1, tables: [] }
      },
    },
  }
  show(world)
  const assistant = await assistantIn(app, world, {})
  onTestFinished(assistant.close)
  return { ...assistant, app, calls, client: app.client }
}

const VACUUM = { action: 'vacuum_table', object: 'catalyst.news' }

test.each([
  ['helped', () => 0, 0],
  ['no_effect', (dead: number) => dead - 10, 49_990],
  ['worse', (dead: number) => dead * 2, 100_000],
] as const)(
  'what it did %s is told with the figure before and after',
  async (outcome, left, after) => {
    const { round, calls, client } = await vacuumLeaves(left)
    const { actions, summary } = await round()
    expect(actions).toEqual([
      expect.objectContaining({
        ...VACUUM,
        decision: 'done',
        before: { dead_rows: 50_000 },
        after: expect.objectContaining({ dead_rows: after }),
        outcome,
      }),
    ])
    expect(calls).toEqual([{ tables: ['catalyst.news'], operations: ['vacuum', 'analyze'] }])
    expect(summary).toContain(`dead_rows 50000 → ${after} · ${outcome.replace('_', ' ')}`)
    const { actions: ledger } = await client.resource('assistant/actions')
    expect(ledger[0]).toMatchObject({ ...VACUUM, outcome })
  },
)

test('what made things worse twice is disabled, says so, and an operator enables it again', async () => {
  const { round, calls, clock, database } = await vacuumLeaves((dead) => dead * 2)
  for (const _ of [1, 2]) {
    await round()
    clock.pass(7 * 60)
  }
  expect(calls).toHaveLength(2)
  const { actions, disabled, summary } = await round()
  expect(calls).toHaveLength(2)
  expect(actions[0]).toMatchObject({
    decision: 'skipped',
    why: expect.stringContaining('Disabled'),
  })
  expect(disabled).toEqual(['vacuum_table'])
  expect(summary).toContain('Disabled because they made things worse: vacuum_table.')
  const { steer } = await import('../../src/domains/assistant/steering.js')
  await steer(database, { stopped: null, enable: 'vacuum_table' })
  const again = await round()
  expect(again.disabled).toEqual([])
  expect(calls).toHaveLength(3)
})

test('an effect that cannot be measured yet is told by a later round', async () => {
  const app = await startApp()
  onTestFinished(app.close)
  const counts = { hits: 100, misses: 1_900 }
  const stats = () => ({
    status: 'ready',
    redis_info: { hit_rate: 0.05, by_cache_type: { news: { keys: 1, ...counts } } },
  })
  const world: World = {
    resources: {
      'db/status': WELL,
      'cache/stats': stats(),
      positions: { items: [{ symbol: 'AAPL' }] },
    },
    tools: { warm_cache: () => ({ warmed_entries: 4, duration_ms: 1 }) },
  }
  const policy = { mode: 'auto', cooldown_minutes: 60, window: 'always' } as const
  const { round, clock, close } = await assistantIn(app, world, { warm_cache: policy })
  onTestFinished(close)
  const { actions } = await round()
  expect(actions[0]).toMatchObject({ action: 'warm_cache', decision: 'done', outcome: null })
  Object.assign(counts, { hits: 1_000, misses: 2_000 })
  world.resources['cache/stats'] = stats()
  clock.pass(5)
  await round()
  const { actions: ledger } = await app.client.resource('assistant/actions')
  const warmed = ledger.find(({ decision }: { decision: string }) => decision === 'done')
  expect(warmed).toMatchObject({ action: 'warm_cache', outcome: 'helped' })
})

test('a tool that fails is told as failed, and rests like any other', async () => {
  const app = await startApp()
  onTestFinished(app.close)
  const { findings, tables } = bloated(50_000)
  const world: World = {
    resources: { 'db/status': WELL, 'db/findings': findings, 'db/performance/tables': tables },
    tools: {
      optimize_tables: () => {
        throw new Error('the lock was not granted')
      },
    },
  }
  const { round, close } = await assistantIn(app, world, {})
  onTestFinished(close)
  expect((await round()).actions[0]).toMatchObject({
    ...VACUUM,
    decision: 'failed',
    why: expect.stringContaining('the lock was not granted'),
    outcome: null,
  })
  expect((await round()).actions[0]).toMatchObject({ decision: 'skipped' })
})
