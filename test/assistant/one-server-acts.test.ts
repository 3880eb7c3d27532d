import { expect, onTestFinished, test } from 'vitest'
import { steer } from '../../src/domains/assistant/steering.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { assistantIn, bloated, TestClock, WELL, type World } from './world.js'

/** Several servers on one database, where a vacuum ends when it is let. */
async function servers(count: number) {
  const app = await startApp()
  onTestFinished(app.close)
  const { findings, tables } = bloated(50_000)
  const calls: ((answer: unknown) => void)[] = []
  const world: World = {
    resources: { 'db/status': WELL, 'db/findings': findings, 'db/performance/tables': tables },
    tools: { optimize_tables: () => new Promise((resolve) => calls.push(resolve)) },
  }
  const clock = new TestClock()
  const all = []
  for (let at = 0; at < count; at++) {
    const one = await assistantIn(app, world, {}, clock, `srv_${at}`)
    onTestFinished(one.close)
    all.push(one)
  }
  return { app, calls, all, clock }
}

const ledgerOf = async (app: Awaited<ReturnType<typeof servers>>['app']) =>
  (await app.client.resource('assistant/actions')).actions as { decision: string; why: string }[]

test('of three servers one acts; the others say that it does', async () => {
  const { app, calls, all } = await servers(3)
  const [first, second, third] = all
  const acting = first?.round()
  await waitFor(() => calls.length === 1)
  expect((await ledgerOf(app)).map(({ decision }) => decision)).toEqual(['running'])
  await expect(second?.round()).rejects.toMatchObject({ code: 'conflict', retryable: true })
  await expect(third?.round()).rejects.toMatchObject({ code: 'conflict' })
  calls[0]?.({ tables: [] })
  expect((await acting)?.actions[0]).toMatchObject({ decision: 'done' })
  expect((await third?.round())?.actions[0]).toMatchObject({ decision: 'skipped' })
  expect(calls).toHaveLength(1)
})

test('when the one that acts is gone, another goes on and says what is not known', async () => {
  const { app, calls, all } = await servers(2)
  const [first, second] = all
  void first?.round().catch(() => {})
  await waitFor(() => calls.length === 1)
  // As a server that was killed: it keeps no lease and writes nothing any more.
  await app.database.query(
    "update catalyst.assistant set lease_until = clock_timestamp() - interval '1 second', fence = fence + 1",
  )
  await second?.round()
  const ledger = await ledgerOf(app)
  expect(ledger.map(({ decision }) => decision).sort()).toEqual(['failed', 'skipped'])
  expect(ledger.find(({ decision }) => decision === 'failed')?.why).toContain(
    'ended before it could say',
  )
  // The one that was away comes back too late to change what was written.
  calls[0]?.({ tables: [] })
  await waitFor(async () => (await ledgerOf(app)).some(({ decision }) => decision === 'failed'))
})

test('the emergency stop ends what is under way, and nothing begins until it is let go of', async () => {
  const { app, calls, all, clock } = await servers(1)
  const [only] = all
  if (!only) throw new Error('there is a server')
  const acting = only.round()
  await waitFor(() => calls.length === 1)
  await steer(only.database, { stopped: true, enable: null })
  expect((await acting).actions[0]).toMatchObject({ decision: 'failed' })
  clock.pass(7 * 60)
  expect((await only.round()).actions[0]).toMatchObject({
    decision: 'skipped',
    why: 'The emergency stop is pulled.',
  })
  await steer(only.database, { stopped: false, enable: null })
  const again = only.round()
  await waitFor(() => calls.length === 2)
  calls[1]?.({ tables: [] })
  expect((await again).actions[0]).toMatchObject({ decision: 'done' })
  expect(await ledgerOf(app)).toHaveLength(3)
})
