import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart } from './bench.js'
import { ChildServer } from './child-server.js'

/** A dead server is found by its silence of 10 s, not by what is looked after once a minute. */
const SILENCE = { timeoutMs: 45_000 }

const database = await createDatabase()
const bench = new Bench()

const jobsOf = () =>
  database.query<{ job_id: string; tool: string; state: string; crashes: number }>(
    'select job_id, tool, state, crashes from catalyst.jobs order by tool',
  )

test('kill -9: another server hears the silence, runs again what may be, and says what may not', async () => {
  const child = new ChildServer(database.url, [
    ['run_held', { label: 'orphan' }],
    ['run_once', { label: 'orphan' }],
  ])
  await waitFor(
    async () => (await jobsOf()).filter(({ state }) => state === 'running').length === 2,
  )
  const app = await startApp({ database, parts: [benchPart(bench)] })
  bench.open('orphan')
  await child.kill()
  const [held, once] = await jobsOf()
  await waitFor(
    async () => (await app.client.tool('get_job', { job_id: held?.job_id })).state === 'succeeded',
    SILENCE,
  )
  expect(await app.client.tool('get_job', { job_id: held?.job_id })).toMatchObject({
    result: { label: 'orphan', starts: 1 },
  })
  const failed = await waitFor(async () => {
    const job = await app.client.tool('get_job', { job_id: once?.job_id })
    return job.state === 'failed' && job
  })
  expect(failed).toMatchObject({
    error: { code: 'unavailable', message: expect.stringContaining('died'), retryable: false },
  })
  expect(bench.started).toEqual(['orphan'])
  const { events } = await app.client.resource('events/job.finished')
  expect(events).toHaveLength(2)
})

test('a job that three servers have died over is not given to a fourth', async () => {
  const app = await startApp({ database, parts: [benchPart(bench)] })
  await database.query(
    `update catalyst.jobs
     set state = 'running', result = null, finished_at = null, crashes = 2,
       server_id = 'srv_dead', heartbeat_at = clock_timestamp()
     where tool = 'run_held'`,
  )
  await waitFor(async () => (await jobsOf())[0]?.state === 'failed', SILENCE)
  expect((await jobsOf())[0]).toMatchObject({ crashes: 3 })
  expect(bench.started).toEqual(['orphan'])
  await app.close()
})
