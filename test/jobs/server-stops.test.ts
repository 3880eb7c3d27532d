import { expect, test } from 'vitest'
import { startApp, TestClient } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart } from './bench.js'

const first = new Bench()
const second = new Bench()
const app = await startApp({ parts: [benchPart(second)] })
const { database } = app

const jobOf = async (label: string) => {
  const [job] = await database.query<{ job_id: string }>(
    `select job_id from catalyst.jobs where arguments ->> 'label' = $1`,
    [label],
  )
  return job?.job_id
}

test('a server that stops hands on what can be run again, says what cannot, and lets callers go', async () => {
  // The one that stays has no room, so that the one that stops is sure to run the jobs.
  const busy = Array.from({ length: 8 }, (_, n) => `busy ${n}`)
  const running = busy.map((label) => app.client.tool('run_held', { label }))
  await waitFor(() => busy.every((label) => second.isRunning(label)))
  const stops = await startApp({ database, parts: [benchPart(first)] })
  // Not one of those that the test server itself closes first.
  const client = await TestClient.connect(stops.url, 'modern')
  const resumed = client.tool('run_held', { label: 'handed on' })
  const failed = client.refused('run_once', { label: 'given up' })
  await waitFor(() => first.isRunning('handed on') && first.isRunning('given up'))
  const closing = stops.close()
  expect(await resumed).toEqual({ status: 'running', job_id: await jobOf('handed on') })
  expect(await failed).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('shutting down'),
  })
  await closing
  await client.close()
  // Both were told to stop, and waited for; neither was left running when patience ended.
  expect([...first.stopped.keys()].sort()).toEqual(['given up', 'handed on'])
  const job_id = await jobOf('handed on')
  expect(await app.client.tool('get_job', { job_id })).toMatchObject({ state: 'queued' })
  for (const label of busy) second.open(label)
  second.open('handed on')
  const done = await app.client.tool('get_job', { job_id, wait_ms: 25_000 })
  expect(done).toMatchObject({ state: 'succeeded', result: { label: 'handed on', starts: 1 } })
  await Promise.all(running)
  const given = await app.client.tool('get_job', { job_id: await jobOf('given up') })
  expect(given).toMatchObject({ state: 'failed', error: { code: 'unavailable' } })
})
