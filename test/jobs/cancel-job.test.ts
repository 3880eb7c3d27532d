import { expect, test } from 'vitest'
import { AppError } from '../../src/errors.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart } from './bench.js'

const bench = new Bench()
const env = { CATALYST_JOB_WAIT_SECONDS: '0' }
const app = await startApp({ parts: [benchPart(bench)], env })
/** It serves no job tools, so it runs none. */
const other = await startApp({ database: app.database })

const start = async (label: string): Promise<string> => {
  const { job_id } = await app.client.tool('run_held', { label })
  return job_id
}

test('cancel_job aborts the signal of the run, and the job is cancelled', async () => {
  const job_id = await start('here')
  await waitFor(() => bench.isRunning('here'))
  expect(await app.client.tool('cancel_job', { job_id })).toMatchObject({
    state: 'cancelled',
    result: null,
    error: { code: 'cancelled' },
    finished_at: expect.any(String),
  })
  expect(bench.stopped.get('here')).toBeInstanceOf(AppError)
})

test('from another server just as well', async () => {
  const job_id = await start('there')
  await waitFor(() => bench.isRunning('there'))
  expect(await other.client.tool('cancel_job', { job_id })).toMatchObject({ state: 'cancelled' })
})

test('who waits for a job that is cancelled is told so', async () => {
  const waits = await startApp({ database: app.database, parts: [benchPart(bench)] })
  const call = waits.client.refused('run_held', { label: 'waited' })
  await waitFor(() => bench.isRunning('waited'))
  const [job] = await app.database.query<{ job_id: string }>(
    `select job_id from catalyst.jobs where arguments ->> 'label' = 'waited'`,
  )
  await app.client.tool('cancel_job', { job_id: job?.job_id })
  expect(await call).toMatchObject({ code: 'cancelled', message: 'The job was cancelled.' })
  await waits.close()
})

test('a job that still waits for its turn is cancelled at once', async () => {
  const holders = await Promise.all(Array.from({ length: 8 }, (_, n) => start(`holder ${n}`)))
  await waitFor(() => bench.isRunning('holder 7'))
  const job_id = await start('never')
  expect(await app.client.tool('get_job', { job_id })).toMatchObject({ state: 'queued' })
  expect(await app.client.tool('cancel_job', { job_id })).toMatchObject({
    state: 'cancelled',
    started_at: null,
  })
  for (let n = 0; n < 8; n++) bench.open(`holder ${n}`)
  for (const id of holders) {
    await app.client.tool('get_job', { job_id: id, wait_ms: 25_000 })
  }
  expect(bench.startsOf('never')).toBe(0)
})

test('a job that has ended stays as it is', async () => {
  bench.open('ended')
  const job_id = await start('ended')
  const done = await app.client.tool('get_job', { job_id, wait_ms: 25_000 })
  expect(done).toMatchObject({ state: 'succeeded' })
  expect(await app.client.tool('cancel_job', { job_id })).toEqual(done)
})
