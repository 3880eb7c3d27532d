import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart } from './bench.js'

const bench = new Bench()
const app = await startApp({ parts: [benchPart(bench)] })
/** It serves no job tools, so it runs none. */
const other = await startApp({ database: app.database })

const jobOf = async (label: string) => {
  const rows = await app.database.query<{ job_id: string; progress: { done: number } | null }>(
    `select job_id, progress from catalyst.jobs where arguments ->> 'label' = $1`,
    [label],
  )
  return rows[0]
}

test.each(['legacy', 'modern'] as const)(
  'progress reaches a waiting %s client and the stored job, and never goes back',
  async (era) => {
    const client = await app.connect(era)
    const label = `steps ${era}`
    const heard: (number | undefined)[] = []
    const answer = client.sdk.callTool(
      { name: 'run_held', arguments: { label } },
      { onprogress: ({ progress }) => heard.push(progress) },
    )
    await waitFor(() => bench.isRunning(label))
    bench.say(label, 1, 3, 'first')
    bench.say(label, 2, 3, 'second')
    bench.say(label, 1, 3, 'back')
    bench.say(label, 3, 3, 'third')
    await waitFor(() => heard.length === 3)
    expect(heard).toEqual([1, 2, 3])
    const stored = await waitFor(async () => {
      const job = await jobOf(label)
      return job?.progress?.done === 3 && job
    })
    expect(await client.tool('get_job', { job_id: stored.job_id })).toMatchObject({
      progress: { done: 3, total: 3, message: 'third' },
    })
    bench.open(label)
    expect((await answer).structuredContent).toMatchObject({ label })
  },
)

test('whoever waits on another server hears of progress and end, and so do subscribers there', async () => {
  const answer = app.client.tool('run_held', { label: 'far' })
  await waitFor(() => bench.isRunning('far'))
  const { job_id } = await waitFor(() => jobOf('far'))
  const uri = `catalyst://jobs/${job_id}`
  const subscriber = await other.connect('legacy')
  let updates = 0
  subscriber.sdk.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    if (params.uri === uri) updates++
  })
  await subscriber.sdk.subscribeResource({ uri })
  const heard: string[] = []
  const waiting = other.client.sdk.callTool(
    { name: 'get_job', arguments: { job_id, wait_ms: 25_000 } },
    { onprogress: ({ message }) => heard.push(message ?? '') },
  )
  bench.say('far', 1, 2, 'half')
  await waitFor(() => heard.includes('half'))
  await waitFor(() => updates === 1)
  bench.open('far')
  expect((await waiting).structuredContent).toMatchObject({ state: 'succeeded' })
  await waitFor(() => updates === 2)
  expect(await answer).toMatchObject({ label: 'far' })
})

test('a forged hint changes nothing', async () => {
  await app.database.query(`select pg_notify('catalyst_jobs_cancelled', 'no such job')`)
  await app.database.query(`select pg_notify('catalyst_jobs_changed', '../events')`)
  const answer = app.client.tool('run_held', { label: 'unforged' })
  await waitFor(() => bench.isRunning('unforged'))
  const { job_id } = await waitFor(() => jobOf('unforged'))
  await app.database.query(`select pg_notify('catalyst_jobs_cancelled', $1)`, [job_id])
  await app.database.query(`select pg_notify('catalyst_jobs_changed', $1)`, [job_id])
  bench.say('unforged', 1, 1, 'still here')
  await waitFor(async () => (await jobOf('unforged'))?.progress)
  expect(bench.isRunning('unforged')).toBe(true)
  bench.open('unforged')
  expect(await answer).toMatchObject({ label: 'unforged' })
})
