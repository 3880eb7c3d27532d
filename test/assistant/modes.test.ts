import { expect, onTestFinished, test } from 'vitest'
import { startApp, type TestClient } from '../support/app.js'
import { closePosition, tell } from '../sync/support.js'
import { policyOf } from './support.js'

const PENDING = { action: 'sync_outcomes', object: 'sync_catalyst_outcomes' }

/** A server with its assistant's policy, and one closed position nobody has learned from. */
async function withPendingSync(assistant: Record<string, unknown>) {
  const app = await startApp({ env: policyOf(assistant) })
  onTestFinished(app.close)
  const news = await tell(app.client, 'Reuters')
  await closePosition(app.client, 'win', news)
  return app
}

interface Action {
  readonly action: string
  readonly object: string
}

const pendingOf = ({ actions }: { actions: Action[] }) =>
  actions.find((one) => one.action === PENDING.action && one.object === PENDING.object)

const backlog = async (client: TestClient): Promise<number> =>
  (await client.resource('db/sync/status')).catalyst_outcomes.pending_updates

test('a dry run says what would be done, and does nothing', async () => {
  const { client } = await withPendingSync({ trial_days: 0 })
  const report = await client.tool('run_maintenance')
  expect(report).toMatchObject({ dry_run: true, verdict: expect.any(String) })
  expect(pendingOf(report)).toMatchObject({
    decision: 'would_do',
    tool: 'sync_catalyst_outcomes',
    evidence: { pending: 1 },
    outcome: null,
  })
  expect(await backlog(client)).toBe(1)
  expect((await client.resource('assistant/actions')).actions).toEqual([])
  const { recommendations } = await client.resource('assistant/recommendations')
  expect(recommendations.map(({ action }: { action: string }) => action)).not.toContain(
    PENDING.action,
  )
  const latest = await client.resource('assistant/reports/latest')
  expect(latest.report_id).toBe(report.report_id)
  expect(report.summary.split('\n').length).toBeLessThanOrEqual(60)
  expect(report.summary).toContain('dry run')
})

test('in auto it is done through the tool, measured again and written down', async () => {
  const { client } = await withPendingSync({ trial_days: 0 })
  const { next_cursor } = await client.tool('list_events')
  const report = await client.tool('run_maintenance', { dry_run: false })
  expect(pendingOf(report)).toMatchObject({
    decision: 'done',
    before: { pending: 1 },
    after: { pending: 0, trades_processed: 1 },
    outcome: 'helped',
  })
  expect(await backlog(client)).toBe(0)
  const { actions } = await client.resource('assistant/actions')
  expect(actions).toContainEqual(
    expect.objectContaining({ ...PENDING, decision: 'done', outcome: 'helped' }),
  )
  const types = ['assistant.action', 'assistant.report', 'sync.completed']
  const { events } = await client.tool('list_events', { after: next_cursor, types })
  expect(events.map(({ type }: { type: string }) => type)).toEqual(expect.arrayContaining(types))
  const done = events.find(
    ({ type, data }: { type: string; data: { action?: string } }) =>
      type === 'assistant.action' && data.action === PENDING.action,
  )
  expect(done.data).toMatchObject({ ...PENDING, decision: 'done', outcome: 'helped' })
})

test('what was done rests: the same plan twice is no plan', async () => {
  const { client } = await withPendingSync({ trial_days: 0 })
  await client.tool('run_maintenance', { dry_run: false })
  await closePosition(client, 'loss', await tell(client, 'Reuters'))
  const again = await client.tool('run_maintenance', { dry_run: false })
  expect(pendingOf(again)).toMatchObject({
    decision: 'skipped',
    why: expect.stringContaining('rests until'),
  })
  expect(await backlog(client)).toBe(1)
})

test('where the policy says observe it is only told', async () => {
  const { client } = await withPendingSync({ trial_days: 0, sync_outcomes: { mode: 'observe' } })
  const report = await client.tool('run_maintenance', { dry_run: false })
  expect(pendingOf(report)).toMatchObject({
    decision: 'would_do',
    why: expect.stringContaining('observe'),
  })
  expect(await backlog(client)).toBe(1)
  const { recommendations } = await client.resource('assistant/recommendations')
  expect(recommendations.filter((one: Action) => one.object === PENDING.object)).toEqual([])
})

test('on trial everything is proposed, once, and approval runs exactly what was shown', async () => {
  const { client } = await withPendingSync({})
  const first = pendingOf(await client.tool('run_maintenance', { dry_run: false }))
  expect(first).toMatchObject({ decision: 'proposed', why: expect.stringContaining('trial') })
  const second = pendingOf(await client.tool('run_maintenance', { dry_run: false }))
  const id = (first as unknown as { recommendation_id: string }).recommendation_id
  expect(second).toMatchObject({ decision: 'proposed', recommendation_id: id })
  const { recommendations } = await client.resource('assistant/recommendations?status=open')
  expect(recommendations.filter((one: Action) => one.object === PENDING.object)).toHaveLength(1)

  const approve = { recommendation_id: id, decision: 'approve' }
  const asked = await client.refused('decide_recommendation', approve)
  expect(asked).toMatchObject({
    code: 'confirmation_required',
    plan: { tool: 'sync_catalyst_outcomes', arguments: {} },
  })
  const { confirm_token } = asked
  const other = { ...approve, reason: 'other', confirm_token }
  expect(await client.refused('decide_recommendation', other)).toMatchObject({
    code: 'invalid_input',
  })
  expect(await backlog(client)).toBe(1)

  const decided = await client.tool('decide_recommendation', { ...approve, confirm_token })
  expect(decided).toMatchObject({ status: 'approved', result: { trades_processed: 1 } })
  expect(await backlog(client)).toBe(0)
  const { actions } = await client.resource('assistant/actions')
  expect(actions[0]).toMatchObject({
    ...PENDING,
    decision: 'done',
    outcome: 'helped',
    recommendation_id: id,
    why: expect.stringContaining('Approved by'),
  })
  expect(await client.refused('decide_recommendation', approve)).toMatchObject({ code: 'conflict' })
})

test('what is denied rests, and what has lost its reason is withdrawn', async () => {
  const { client } = await withPendingSync({})
  const { recommendation_id } = pendingOf(
    await client.tool('run_maintenance', { dry_run: false }),
  ) as never
  const deny = { recommendation_id, decision: 'deny', reason: 'not today' }
  expect(await client.tool('decide_recommendation', deny)).toMatchObject({ status: 'denied' })
  const rests = pendingOf(await client.tool('run_maintenance', { dry_run: false }))
  expect(rests).toMatchObject({ decision: 'skipped', why: expect.stringContaining('denied') })

  const other = await withPendingSync({})
  await other.client.tool('run_maintenance', { dry_run: false })
  await other.client.tool('sync_catalyst_outcomes')
  await other.client.tool('run_maintenance', { dry_run: false })
  const { recommendations } = await other.client.resource('assistant/recommendations')
  const withdrawn = recommendations.find((one: Action) => one.object === PENDING.object)
  expect(withdrawn).toMatchObject({ status: 'superseded', decided_reason: expect.any(String) })
})

test('the emergency stop and a budget of none let nothing be done', async () => {
  const stopped = await withPendingSync({ trial_days: 0, stop: true })
  const first = await stopped.client.tool('run_maintenance', { dry_run: false })
  expect(pendingOf(first)).toMatchObject({
    decision: 'skipped',
    why: expect.stringContaining('stop'),
  })
  const broke = await withPendingSync({ trial_days: 0, budget: { actions: 0 } })
  const second = await broke.client.tool('run_maintenance', { dry_run: false })
  expect(pendingOf(second)).toMatchObject({
    decision: 'skipped',
    why: expect.stringContaining('budget'),
  })
  expect(await backlog(stopped.client)).toBe(1)
  expect(await backlog(broke.client)).toBe(1)
})

test('what a part cannot tell is unknown with its reason, and is no error', async () => {
  const { client, close } = await startApp()
  onTestFinished(close)
  const { unknown } = await client.tool('run_maintenance')
  for (const { what, reason } of unknown) expect(`${what}: ${reason}`).toMatch(/^\S+: .{10,}/)
})

test('before the first report that is what is said', async () => {
  const { client, close } = await startApp()
  onTestFinished(close)
  expect(await client.resource('assistant/reports/latest')).toMatchObject({
    report_id: null,
    summary: expect.stringContaining('run_maintenance'),
  })
  await client.tool('run_maintenance')
  const { reports, next_cursor } = await client.resource('assistant/reports?limit=1')
  expect(reports).toHaveLength(1)
  expect(next_cursor).toBeNull()
})
