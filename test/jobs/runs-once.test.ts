import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart, otherPart } from './bench.js'

const bench = new Bench()
const env = { CATALYST_JOB_WAIT_SECONDS: '0' }
const app = await startApp({ parts: [benchPart(bench)], env })
const other = await startApp({ database: app.database, parts: [benchPart(bench)], env })

test('a hundred jobs that two servers take over run a hundred times, never two at a time', async () => {
  const labels = Array.from({ length: 100 }, (_, n) => `of many ${n}`)
  await Promise.all(
    labels.map((label, n) => [app, other][n % 2]?.client.tool('run_held', { label })),
  )
  // One server runs eight at a time, so both have taken some.
  await waitFor(() => labels.filter((label) => bench.isRunning(label)).length === 16)
  for (const label of labels) bench.open(label)
  await waitFor(async () => {
    const [row] = await app.database.query<{ n: number }>(
      `select count(*)::int as n from catalyst.jobs where state = 'succeeded'`,
    )
    return row?.n === 100
  })
  expect(bench.started.filter((label) => label.startsWith('of many')).sort()).toEqual(labels.sort())
  expect(bench.hasOverlapped).toBe(false)
  const servers = await app.database.query(
    'select server_id, count(*)::int as jobs from catalyst.jobs group by server_id',
  )
  expect(servers.length).toBe(2)
})

test('who has lost the lease is stopped, and what it came to is not written', async () => {
  const { job_id } = await app.client.tool('run_held', { label: 'fenced' })
  const { job_id: ignoring } = await app.client.tool('run_held', { label: 'too late' })
  await waitFor(() => bench.isRunning('fenced') && bench.isRunning('too late'))
  await app.database.query(
    `update catalyst.jobs
     set server_id = 'srv_other', attempt = attempt + 1, heartbeat_at = clock_timestamp()
     where job_id in ($1, $2)`,
    [job_id, ignoring],
  )
  bench.open('too late')
  await waitFor(() => bench.stopped.has('fenced'))
  expect(bench.stopped.get('fenced')).toMatchObject({ code: 'unavailable' })
  await waitFor(() => !bench.isRunning('too late'))
  for (const id of [job_id, ignoring]) {
    expect(await app.client.tool('get_job', { job_id: id })).toMatchObject({
      state: 'running',
      result: null,
    })
  }
})

test('a server that does not have the tool leaves the job to those that have it', async () => {
  const own = await startApp({ parts: [benchPart(bench)], env })
  const labels = Array.from({ length: 8 }, (_, n) => `filler ${n}`)
  for (const label of labels) await own.client.tool('run_held', { label })
  await waitFor(() => labels.every((label) => bench.isRunning(label)))
  const newer = await startApp({ database: own.database, parts: [otherPart(bench)], env })
  bench.open('left alone')
  bench.open('its own')
  const { job_id } = await own.client.tool('run_held', { label: 'left alone' })
  // It has passed over the older one.
  const later = await newer.client.tool('run_other', { label: 'its own' })
  expect(
    await newer.client.tool('get_job', { job_id: later.job_id, wait_ms: 20_000 }),
  ).toMatchObject({ state: 'succeeded' })
  expect(bench.startsOf('left alone')).toBe(0)
  for (const label of labels) bench.open(label)
  const done = await newer.client.tool('get_job', { job_id, wait_ms: 25_000 })
  expect(done).toMatchObject({ state: 'succeeded', tool: 'run_held' })
  await newer.close()
  await own.close()
})
