import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { Bench, benchPart } from './bench.js'

const bench = new Bench()
const app = await startApp({
  parts: [benchPart(bench)],
  env: { CATALYST_JOB_WAIT_SECONDS: '0.5' },
})

test.each(['legacy', 'modern'] as const)(
  'a %s client gets the answer of a job that is done in time',
  async (era) => {
    const client = await app.connect(era)
    // From here on the client itself checks every answer against the listed schema.
    await client.sdk.listTools()
    bench.open(`quick ${era}`)
    expect(await client.tool('run_held', { label: `quick ${era}` })).toEqual({
      label: `quick ${era}`,
      starts: 1,
    })
  },
)

test.each(['legacy', 'modern'] as const)(
  'a %s client gets the job_id of one that is not, and its result later',
  async (era) => {
    const client = await app.connect(era)
    await client.sdk.listTools()
    const label = `slow ${era}`
    const answer = await client.sdk.callTool({ name: 'run_held', arguments: { label } })
    const running = answer.structuredContent as { job_id: string }
    expect(running).toEqual({ status: 'running', job_id: expect.stringMatching(/^job_/) })
    expect(answer.content).toContainEqual(
      expect.objectContaining({
        type: 'resource_link',
        uri: `catalyst://jobs/${running.job_id}`,
      }),
    )
    const { job_id } = running
    expect(await client.tool('get_job', { job_id })).toMatchObject({
      job_id,
      tool: 'run_held',
      state: 'running',
      result: null,
      error: null,
      finished_at: null,
    })
    const waiting = client.tool('get_job', { job_id, wait_ms: 25_000 })
    bench.open(label)
    const done = await waiting
    expect(done).toMatchObject({ state: 'succeeded', result: { label, starts: 1 } })
    expect(await client.resource(`jobs/${job_id}`)).toEqual(done)
  },
)

test('a job that fails in time is a tool error, and stays one', async () => {
  expect(await app.client.refused('run_refused', { expected: true })).toMatchObject({
    code: 'precondition_failed',
    message: 'Not today.',
    hint: 'Try tomorrow.',
  })
  const unexpected = await app.client.refused('run_refused', { expected: false })
  expect(unexpected).toMatchObject({ code: 'internal_error' })
  expect(JSON.stringify(unexpected)).not.toContain('secret')
})

test('wrong arguments start nothing', async () => {
  expect(await app.client.refused('run_held', { label: 1 })).toMatchObject({
    code: 'invalid_input',
  })
  const rows = await app.database.query(`select 1 from catalyst.jobs where arguments ? '1'`)
  expect(rows).toEqual([])
})

test('the end of a job is an event', async () => {
  bench.open('reported')
  await app.client.tool('run_held', { label: 'reported' })
  const { events } = await app.client.tool('list_events', {
    types: ['job.finished'],
    after: 0,
    wait_ms: 25_000,
  })
  expect(events[0].data).toMatchObject({ tool: 'run_held', state: 'succeeded' })
})

test('the list says that either answer may come', async () => {
  const { tools } = await app.client.sdk.listTools()
  expect(tools.find(({ name }) => name === 'run_held')?.outputSchema).toMatchObject({
    type: 'object',
    properties: { label: {}, status: { const: 'running' }, job_id: {} },
  })
})
